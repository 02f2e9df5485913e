"""A Space as a visitor has it, framed by huggingface.co: log in, train, see it killed and started again, download."""

import io
import re
import signal
import zipfile
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import expect

from tests.browser.test_whole_loop import fill
from tests.chromium import launched
from tests.server.gateway import hugging_face
from tests.server.test_space import BROWSER, LOGIN, image, log_in, owned, space  # noqa: F401
from tests.server.test_space_training import until

PATIENCE = 180_000  # ms: two slow cores may be shared


@contextmanager
def visited(playwright, server, folder):
    """The page of the Space in a browser; yields the tab and, within it, the app's frame, logged in."""
    with (
        hugging_face(server.url, folder) as port,
        launched(playwright, f"--host-resolver-rules=MAP * 127.0.0.1:{port}") as chromium,
    ):
        tab = chromium.new_context(ignore_https_errors=True, viewport={"width": 1440, "height": 900}).new_page()
        tab.goto("https://huggingface.co/spaces/a/b")
        frame = tab.frame_locator("#space")
        frame.get_by_label("Name").fill("ada")
        frame.get_by_label("Password").fill("engine")
        frame.get_by_role("button", name="Log in").click()
        yield tab, frame


def page_of(frame, name):
    frame.get_by_role("tab", name=name, exact=True).click()


def test_in_its_frame_it_trains_outlives_a_kill_and_gives_the_model_away(image, playwright, tmp_path):  # noqa: F811
    volume = owned(tmp_path / "volume")
    env = {**LOGIN, "DFGUI_VOLUME": str(volume)}
    with (
        space(image, owned(tmp_path / "first"), env) as server,
        visited(playwright, server, tmp_path) as (_, frame),
    ):
        frame.get_by_text("Try the demo").click()
        expect(frame.locator("#view-conversation")).to_contain_text("calls", timeout=PATIENCE)
        page_of(frame, "Train")
        expect(frame.locator("#notes")).to_contain_text("4 x 1 = 4 rows per step", timeout=PATIENCE)
        fill(frame, "duration", "training.max_steps", 5000)
        fill(frame, "checkpoints", "training.save_steps", 5)
        frame.locator("#start").click()
        expect(frame.locator(".monitor .checkpoints tbody tr").first).to_be_visible(timeout=PATIENCE)
        until(lambda: list(volume.glob("runs/*/checkpoint-*/files.json")), server)
        server.end(signal.SIGKILL)

    with (
        space(image, owned(tmp_path / "second"), env) as server,
        visited(playwright, server, tmp_path) as (_, frame),
    ):
        page_of(frame, "Runs")
        row = frame.locator(".runs tbody tr")
        expect(row).to_contain_text("demo-lora", timeout=PATIENCE)
        expect(row).to_contain_text(re.compile("interrupted", re.IGNORECASE), timeout=PATIENCE)
        page_of(frame, "Export")
        offer = frame.locator(".offer[data-kind=merged]")
        offer.locator("a").click()
        expect(offer.locator(".state")).to_have_text(re.compile("Merging|has begun"), timeout=PATIENCE)
        address = urlsplit(offer.locator("a").get_attribute("href")).path
        answer = server.get(address, headers=BROWSER, cookies=log_in(server))
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
        assert archive.testzip() is None and {"model.safetensors", "config.json", "USAGE.md"} <= names
