"""A child that says its pid and sleeps: stands for long work."""

import os
import time

from dfgui import child


def work(asked, say):
    print("what a library prints")
    say(str(os.getpid()))
    time.sleep(asked["seconds"])
    return {"slept": asked["seconds"]}


if __name__ == "__main__":
    child.serve(work, at_once=True)
