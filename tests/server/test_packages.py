"""What is asked for twice is made once, and what nobody takes does not stay."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dfgui.errors import UserError
from dfgui.server import packages
from dfgui.server.packages import Packages

KEY = ("7h2k7h2k", 60, "merged")


def finished(coroutine):
    """What a coroutine comes to, in a loop of its own: a browser may keep one running in the thread of the tests."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, coroutine).result()


class Made:
    def __init__(self, number):
        self.number = number
        self.closed = False

    def close(self):
        self.closed = True


class Workshop:
    """Makes a package when it is let; counts those it has made, and how many at once."""

    def __init__(self):
        self.made = []
        self.at_once = self.most_at_once = 0
        self.let = threading.Event()
        self.let.set()
        self.trouble = None

    def __call__(self, key, job):
        self.job = job
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.let.wait(5)
        time.sleep(0.02)
        self.at_once -= 1
        if self.trouble:
            raise self.trouble
        self.made.append(Made(len(self.made)))
        return self.made[-1]


@pytest.fixture
def workshop():
    return Workshop()


def test_a_package_that_is_ready_is_the_one_that_is_taken(workshop):
    async def ask():
        stock = Packages(workshop)
        assert await stock.ready(KEY)
        assert await stock.ready(KEY)
        return await stock.take(KEY)

    assert finished(ask()) is workshop.made[0]
    assert len(workshop.made) == 1


def test_several_who_ask_wait_for_the_same_one(workshop):
    async def ask():
        stock = Packages(workshop)
        return await asyncio.gather(*(stock.ready(KEY) for _ in range(5)))

    assert finished(ask()) == [True] * 5
    assert len(workshop.made) == 1


def test_several_who_take_each_have_one_and_they_are_made_one_after_the_other(workshop):
    async def take():
        stock = Packages(workshop)
        return await asyncio.gather(*(stock.take(KEY) for _ in range(3)))

    assert {package.number for package in finished(take())} == {0, 1, 2}
    assert workshop.most_at_once == 1


def test_another_checkpoint_is_made_beside_it(workshop):
    async def ask():
        stock = Packages(workshop)
        return await asyncio.gather(stock.ready(KEY), stock.ready(("7h2k7h2k", 80, "merged")))

    assert finished(ask()) == [True, True]
    assert len(workshop.made) == 2


def test_who_asks_while_it_is_made_hears_that_it_is_not_there_yet(workshop, monkeypatch):
    monkeypatch.setattr(packages, "PATIENCE_SECONDS", 0.02)
    workshop.let.clear()

    async def ask():
        stock = Packages(workshop)
        first = await stock.ready(KEY)
        workshop.let.set()
        while not await stock.ready(KEY):
            pass
        return first

    assert finished(ask()) is False
    assert len(workshop.made) == 1


def test_what_went_wrong_is_told_to_all_who_wait_and_tried_again_afterwards(workshop):
    workshop.trouble = UserError("The disk is full.", "It is.", "Free some space.")

    async def ask():
        stock = Packages(workshop)
        told = await asyncio.gather(stock.ready(KEY), stock.take(KEY), stock.take(KEY), return_exceptions=True)
        workshop.trouble = None
        return told, await stock.ready(KEY)

    told, again = finished(ask())
    assert [type(error) for error in told] == [UserError] * 3
    assert again


def test_what_nobody_takes_is_thrown_away(workshop, monkeypatch):
    monkeypatch.setattr(packages, "KEPT_SECONDS", 0.02)

    async def leave():
        stock = Packages(workshop)
        await stock.ready(KEY)
        await asyncio.sleep(0.2)
        return await stock.take(KEY)

    assert finished(leave()) is workshop.made[1]
    assert workshop.made[0].closed
    assert not workshop.made[1].closed


def test_one_that_nobody_wants_any_more_is_told_so_and_made_again_when_it_is_asked_for(workshop, monkeypatch):
    monkeypatch.setattr(packages, "PATIENCE_SECONDS", 0.02)
    workshop.let.clear()

    async def ask():
        stock = Packages(workshop)
        assert not await stock.ready(KEY)
        workshop.job.say("merging part 3 of 16")
        said, job = stock.said(KEY), workshop.job
        stock.cancel(KEY)
        workshop.let.set()
        while not await stock.ready(KEY):
            pass
        return said, job.going()

    assert finished(ask()) == ("merging part 3 of 16", False)
