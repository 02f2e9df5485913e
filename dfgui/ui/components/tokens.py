"""Tokens as the trainer gets them: what is learned on a tint and underlined, what is only read plain.

    draw([{"id": 872, "text": "user", "role": "user", "trained": False}, ...], cut=0)

Tokens of a kind stand in one mark, with a thin edge between them; the title of each tells its id and role. tokens.js
shows it in the line above, for the token under the mouse or the focus; the first token can be reached by keyboard.
"""

from html import escape
from itertools import groupby
from typing import Any

MOST = 4_000  # tokens drawn; each is an element of the page


def draw(tokens: list[dict[str, Any]], cut: int = 0) -> str:
    """The HTML of a row's tokens; the last `cut` of them lie beyond max_length and are drawn faded."""
    kept = tokens[: len(tokens) - cut][:MOST]
    lost = tokens[len(tokens) - cut :][: MOST - len(kept)]
    rest = len(tokens) - len(kept) - len(lost)
    more = f'<p class="faint">{rest:,} more tokens are not drawn here.</p>' if rest else ""
    drawn = (_runs(kept) + _lost(lost)).replace("<i ", '<i tabindex="0" ', 1)
    return f'{LEGEND}<div class="tokens exact" role="group" aria-label="Tokens">{drawn}</div>{more}'


LEGEND = (
    '<p class="legend"><mark>learned</mark> <span>read, not learned</span> '
    '<small class="token-said" role="status">'
    "hover over a token, or go on with the arrow keys, for its id and role</small></p>"
)


def _runs(tokens: list[dict[str, Any]]) -> str:
    runs = groupby(tokens, key=lambda token: bool(token["trained"]))
    return "".join(_run("".join(map(_token, members)), trained) for trained, members in runs)


def _run(inside: str, trained: bool) -> str:
    return f"<mark>{inside}</mark>" if trained else f"<span>{inside}</span>"


def _token(token: dict[str, Any]) -> str:
    state = "learned" if token["trained"] else "read, not learned"
    title = escape(f"{token['id']} · {token['role']} · {state}")
    return f'<i title="{title}">{escape(str(token["text"]))}</i>'


def _lost(tokens: list[dict[str, Any]]) -> str:
    if not tokens:
        return ""
    line = '<b class="cut" role="separator">too long: the end is lost <small>max_length</small></b>'
    return f'{line}<span class="lost">{"".join(map(_token, tokens))}</span>'
