"""A conversation drawn as bubbles: calls with their arguments, tool results, and the tools that were offered.

Everything that comes from a row passes through html.escape, so that markup in a row is read and never run. The result
goes into a gr.HTML whose template is "${value}": Gradio puts such a value in as it is. (With "{{value}}" it would
first put the value in and then run what stands between ${ and } in it.)
"""

import json
from html import escape
from typing import Any

from dfgui.views import conversation
from dfgui.views.conversation import Call, Parameter, Tool, Turn

LONGEST = 20_000  # characters of one turn drawn; a page with megabytes in it does not scroll


def draw(messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None = None) -> str:
    """The HTML of a whole conversation, its tools folded above it."""
    listed = conversation.tools(tools)
    return _drawn(conversation.turns(messages), _tools(listed) if listed else "")


def pieces(segments: list[tuple[str, bool]]) -> str:
    """The HTML of a row that has no turns."""
    return _drawn(conversation.pieces(segments))


def _drawn(turns: list[Turn], above: str = "") -> str:
    return sendable(f'<div class="conversation">{above}{"".join(map(turn, turns))}</div>')


def turn(given: Turn) -> str:
    parts = [
        f'<details class="reasoning"><summary>Reasoning</summary>{_text(given.reasoning)}</details>'
        if given.reasoning
        else "",
        _text(given.text, "structured" if given.structured else "") if given.text else "",
        *map(call, given.calls),
    ]
    inside = "".join(parts) or '<p class="faint">(empty)</p>'
    known = given.role if given.role in conversation.ROLES else "other"
    return f'<section class="turn {known}"><h4>{escape(given.title)}</h4><div class="bubble">{inside}</div></section>'


def call(given: Call) -> str:
    """A call as a small table: the tool's name, then one line for each argument."""
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in given.arguments)
    lines = f"<dl>{lines}</dl>" if lines else '<p class="faint">no arguments</p>'
    return f'<div class="call"><h5><span>calls</span> <code>{escape(given.name)}</code></h5>{lines}</div>'


def raw(row: Any) -> str:
    """A row as JSON over lines."""
    return text(json.dumps(row, ensure_ascii=False, indent=2, default=str))


def text(given: str) -> str:
    """Text exactly as it stands, spaces and line ends kept."""
    shown, note = _shortened(given, 10 * LONGEST)
    return sendable(f'<pre class="exact" tabindex="0">{escape(shown)}</pre>{note}')


def sendable(html: str) -> str:
    """Half a character, as "\\ud83d" in JSON leaves one, becomes a replacement mark: no browser could be sent it."""
    return html.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _text(given: str, kind: str = "") -> str:
    shown, note = _shortened(given, LONGEST)
    return f'<div class="text {kind}">{escape(shown)}</div>{note}'


def _shortened(given: str, most: int) -> tuple[str, str]:
    if len(given) <= most:
        return given, ""
    return given[:most], f'<p class="faint">{len(given) - most:,} more characters are not drawn here.</p>'


def _tools(listed: list[Tool]) -> str:
    names = ", ".join(f"<code>{escape(tool.name)}</code>" for tool in listed)
    count = "1 tool" if len(listed) == 1 else f"{len(listed)} tools"
    body = "".join(map(_tool, listed))
    return f'<details class="tools"><summary><b>{count}</b> {names}</summary>{body}</details>'


def _tool(given: Tool) -> str:
    lines = "".join(map(_parameter, given.parameters))
    table = f"<dl>{lines}</dl>" if lines else '<p class="faint">no parameters</p>'
    return f'<div class="offered"><h5><code>{escape(given.name)}</code> {escape(given.help)}</h5>{table}</div>'


def _parameter(given: Parameter) -> str:
    kind = escape(given.kind + (", required" if given.required else ""))
    return f'<dt>{escape(given.name)}</dt><dd><span class="faint">{kind}</span> {escape(given.help)}</dd>'
