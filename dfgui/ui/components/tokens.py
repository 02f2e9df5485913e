"""Tokens as the trainer gets them, turn by turn: what is learned on a tint and underlined, what is only read plain.

    draw([{"id": 872, "text": "user", "role": "user", "trained": False}, ...], cut=0, special={1, 2})

Each turn has the colour and the name of its role at its edge, special tokens are framed, line breaks have a sign. The
title of each token tells its id and role. tokens.js shows it in the line above, for the token under the mouse or the
focus, and finds text; the first token can be reached by keyboard.
"""

from collections.abc import Container
from html import escape
from itertools import groupby
from typing import Any

MOST = 20_000  # tokens drawn; each is an element of the page

LEGEND = (
    '<div class="legend"><mark>learned</mark> <span>read, not learned</span> <i class="s">special</i> '
    '<label class="find">Find <input type="search" class="token-find" autocomplete="off"> <output></output></label> '
    '<small class="token-said" role="status">'
    "hover over a token, or go on with the arrow keys, for its id and role</small></div>"
)


def draw(tokens: list[dict[str, Any]], cut: int = 0, special: Container[int] = ()) -> str:
    """The HTML of a row's tokens; the last `cut` of them lie beyond max_length and are drawn faded."""
    kept = tokens[: len(tokens) - cut][:MOST]
    lost = tokens[len(tokens) - cut :][: MOST - len(kept)]
    rest = len(tokens) - len(kept) - len(lost)
    more = f'<p class="faint">{rest:,} more tokens are not drawn here.</p>' if rest else ""
    drawn = (_turns(kept, special) + _lost(lost, special)).replace("<i ", '<i tabindex="0" ', 1)
    return f'{LEGEND}<div class="tokens exact" role="group" aria-label="Tokens">{drawn}</div>{more}'


def _turns(tokens: list[dict[str, Any]], special: Container[int]) -> str:
    turns = groupby(tokens, key=lambda token: str(token["role"]))
    return "".join(_turn(role, list(members), special) for role, members in turns)


def _turn(role: str, tokens: list[dict[str, Any]], special: Container[int]) -> str:
    runs = groupby(tokens, key=lambda token: bool(token["trained"]))
    drawn = "".join(_run("".join(_token(token, special) for token in members), trained) for trained, members in runs)
    return f'<div class="of {escape(role)}" data-role="{escape(role)}">{drawn}</div>'


def _run(inside: str, trained: bool) -> str:
    return f"<mark>{inside}</mark>" if trained else f"<span>{inside}</span>"


def _token(token: dict[str, Any], special: Container[int]) -> str:
    state = "learned" if token["trained"] else "read, not learned"
    title = escape(f"{token['id']} · {token['role']} · {state}")
    text = str(token["text"])
    kind = "s" if token["id"] in special else "n" if "\n" in text else "e" if not text else ""
    return f'<i{f" class={kind}" if kind else ""} title="{title}">{escape(text)}</i>'


def _lost(tokens: list[dict[str, Any]], special: Container[int]) -> str:
    if not tokens:
        return ""
    line = '<b class="cut" role="separator">too long: the end is lost <small>max_length</small></b>'
    return f'{line}<span class="lost">{"".join(_token(token, special) for token in tokens)}</span>'
