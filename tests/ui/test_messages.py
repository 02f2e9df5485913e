"""Notes as they are put on a page."""

from dfgui.ui import messages


def test_what_is_not_known_yet_does_not_look_as_if_all_were_well():
    assert '<span class="kind">…</span>' in messages.note("tell", "Memory", "Being worked out.", pending=True)
    assert '<span class="kind">info</span>' in messages.note("tell", "Memory", "Unknown.")
    assert '<span class="kind">look</span>' in messages.note("warn", "Memory", "Tight.", pending=True)
