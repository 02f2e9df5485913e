"""What a model wrote, taken apart: its words, its tool calls, and what is wrong with a call that cannot be read.

    parse('Let me look.\\n<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>', tokenizer)
    Reply(content="Let me look.", calls=[{"name": "get_weather", "arguments": {"city": "Oslo"}}], broken=None)

All is read here, because TRL's parser makes plain text of a broken call, reads half a call as a whole one and loses
words around calls.
"""

import ast
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    content: str  # the words, without reasoning and calls
    calls: list[dict] = field(default_factory=list)  # [{"name": ..., "arguments": {...}}]
    broken: str | None = None  # why a call cannot be read: "<tool_call> is never closed"
    reasoning: str = ""


class Unreadable(Exception):
    """A call that is there and cannot be read; the words say why."""


def parse(text: str, tokenizer: Any, tools: list[dict] | None = None) -> Reply:
    """A reply's parts. Some templates write arguments as bare text; with `tools` these get the type of their schema."""
    reasoning, said = _reasoning(text)
    if (found := marked(said, tools or [], reasoning)) is not None:
        return found
    if BARE_CALL.match(said) and not MARKED.search(tokenizer.chat_template or ""):
        return _bare(said.strip(), reasoning)
    return Reply(_without_frames(said), reasoning=reasoning)


def marked(text: str, tools: list[dict], reasoning: str = "") -> Reply | None:
    """The calls of a text that one of FAMILIES marks; None where there are no such marks."""
    marks = next((marks for marks in FAMILIES if marks.opening.search(text)), None)
    return _marked(text, marks, reasoning, tools) if marks else None


@dataclass(frozen=True)
class Marks:
    """How a family marks a call. `read` makes calls of (the opening, what follows it, tools), or raises Unreadable."""

    opening: re.Pattern
    closing: re.Pattern
    read: Callable[[re.Match, str, list[dict]], list[dict]]


def _marked(said: str, marks: Marks, reasoning: str, tools: list[dict]) -> Reply:
    calls: list[dict] = []
    broken: list[str] = []
    words = ""
    position = 0
    while opened := marks.opening.search(said, position):
        words += said[position : opened.start()]
        closed = marks.closing.search(said, opened.end())
        inside = said[opened.end() : closed.start() if closed else len(said)]
        position = closed.end() if closed else len(said)
        try:
            if not closed:
                raise Unreadable(f"{opened.group().strip()} is never closed")
            calls += marks.read(opened, inside.strip(), tools)
        except Unreadable as error:
            broken.append(str(error))
    return Reply(_without_frames(words + said[position:]), calls, "; ".join(broken) or None, reasoning)


def _qwen_or_glm(opened: re.Match, inside: str, tools: list[dict]) -> list[dict]:
    """{"name": ..., "arguments": ...}, or <function=name><parameter=key>, or name<arg_key>key</arg_key><arg_value>."""
    if inside.startswith("<function"):
        return [_tagged_call(inside, r"<function=([^\n>]+)>", r"<parameter=([^\n>]+)>\n?(.*?)\n?</parameter>", tools)]
    if re.match(r"[\w.-]+\s*(<arg_key>|$)", inside):
        arguments = r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>"
        return [_tagged_call(inside, r"([\w.-]+)", arguments, tools)]
    return [_call(_json(inside))]


def _deepseek(opened: re.Match, inside: str, tools: list[dict]) -> list[dict]:
    """function<sep>name, then the arguments in a fence; newer ones write name<sep>arguments."""
    kind, _, rest = inside.partition("<｜tool▁sep｜>")
    name, _, arguments = rest.partition("\n") if kind == "function" else (kind, "", rest)
    return [_call({"name": name.strip(), "arguments": _json(re.sub(r"^```json|```$", "", arguments.strip()))})]


def _mistral(opened: re.Match, inside: str, tools: list[dict]) -> list[dict]:
    """A list of calls; newer ones write name[ARGS]{...}."""
    if named := re.match(r"([\w.-]+)(?:\[ARGS\])?(?=\{)", inside):
        return [_call({"name": named.group(1), "arguments": _json(inside[named.end() :])})]
    calls = _json(inside)
    return [_call(call) for call in (calls if isinstance(calls, list) else [calls])]


def _gpt_oss(opened: re.Match, inside: str, tools: list[dict]) -> list[dict]:
    return [_call({"name": opened.group(1), "arguments": _json(inside)})]


def _muse(opened: re.Match, inside: str, tools: list[dict]) -> list[dict]:
    """<atem:invoke name="..."><atem:parameter name="city">Oslo</atem:parameter></atem:invoke>, once for each call."""
    argument = r'<atem:parameter name="([^"]*)">(.*?)</atem:parameter>'
    invoked = re.split(r"(?=<atem:invoke )", inside)[1:] or [inside]
    return [_tagged_call(one, r'<atem:invoke name="([^"]+)">', argument, tools) for one in invoked]


def _gemma(opened: re.Match, inside: str, tools: list[dict]) -> list[dict]:
    """JSON but for keys and quotes: call:get_weather{city:<|"|>Oslo<|"|>,days:[1,2]}."""
    name, brace, arguments = inside.removeprefix("call:").partition("{")
    parts = f"{brace}{arguments}".split('<|"|>')
    parts[1::2] = map(json.dumps, parts[1::2])
    parts[::2] = [re.sub(r'([{,])([^{}\[\],:"]+):', r'\1"\2":', part) for part in parts[::2]]
    parts[::2] = [re.sub(r"(?<![^\[,:])None(?![^\],}])", "null", part) for part in parts[::2]]
    return [_call({"name": name.strip(), "arguments": _json("".join(parts))})]


def _llama(opened: re.Match, inside: str, tools: list[dict]) -> list[dict]:
    return [_call(_json(inside))]


def _lfm(opened: re.Match, inside: str, tools: list[dict]) -> list[dict]:
    """A list of calls as Python writes them: [get_weather(city='Oslo', days=[1, 2])]."""
    try:
        read = ast.parse(inside, mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Unreadable(f"the call is not Python: {error}") from error
    return [_python_call(call) for call in (read.elts if isinstance(read, ast.List) else [read])]


def _python_call(node: ast.expr) -> dict:
    """A name with a dash in it reads as a difference: get-weather(...)."""
    name = ""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        name, node = f"{name}{ast.unparse(node.left).replace(' ', '')}-", node.right
    if not isinstance(node, ast.Call) or node.args:
        raise Unreadable("the call has no name, or values without one")
    arguments = {word.arg: _python_value(word.value) for word in node.keywords if word.arg}
    return {"name": name + ast.unparse(node.func), "arguments": arguments}


def _python_value(node: ast.expr) -> Any:
    """A literal; true, false and null are read too."""
    match node:
        case ast.Name(id="true" | "false" | "null" as word):
            return {"true": True, "false": False, "null": None}[word]
        case ast.List():
            return [_python_value(one) for one in node.elts]
        case ast.Dict():
            keys = [None if key is None else _python_value(key) for key in node.keys]
            return dict(zip(keys, map(_python_value, node.values), strict=True))
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise Unreadable(f"a value is not one: {ast.unparse(node)}") from error


FAMILIES = [  # marks that end a turn are gone from the text, so the end of it closes these calls too
    Marks(re.compile(r"<tool_call>"), re.compile(r"</tool_call>"), _qwen_or_glm),
    Marks(re.compile(r"<｜tool▁call▁begin｜>"), re.compile(r"<｜tool▁call▁end｜>"), _deepseek),
    Marks(re.compile(r"\[TOOL_CALLS\]"), re.compile(r"(?=\[TOOL_CALLS\])|\Z"), _mistral),
    Marks(re.compile(r"<atem:function_calls>"), re.compile(r"</atem:function_calls>"), _muse),
    Marks(re.compile(r"<\|tool_call>"), re.compile(r"<tool_call\|>"), _gemma),
    Marks(re.compile(r"to=functions\.([\w.-]+)[^{]*?<\|message\|>"), re.compile(r"<\|call\|>|\Z"), _gpt_oss),
    Marks(re.compile(r"<\|python_tag\|>"), re.compile(r"\Z"), _llama),
    Marks(re.compile(r"<\|tool_call_start\|>"), re.compile(r"<\|tool_call_end\|>"), _lfm),
]

# Llama 3 writes a call and nothing else. Under a template that marks its calls, the same text is no call.
BARE_CALL = re.compile(r'\s*\{\s*"name"\s*:\s*"[^"]*"\s*,\s*"(?:parameters|arguments)"\s*:')
MARKED = re.compile(r"<tool_call>|<｜tool▁call▁begin｜>|\[TOOL_CALLS\]|to=functions")

FRAMES = re.compile(  # around messages (gpt-oss, Muse) and around all calls of a turn (DeepSeek)
    r"<\|start\|>assistant|<\|channel\|>(?:final|commentary)|(?:\s?to=[\w.-]+)?<\|message\|>"
    r"|<\|end\|>|<\|eom\|>|<｜tool▁calls▁(?:begin|end)｜>"
)
THINKING = [
    ("<think>", "</think>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),  # gpt-oss
    ("<|channel>thought\n", "<channel|>"),  # Gemma 4
    (" to=self<|message|>", "<|eom|>"),  # Muse
]


def _reasoning(text: str) -> tuple[str, str]:
    """The reasoning, and what is said after it. Its opening mark may have been the prompt's last word."""
    for opening, closing in THINKING:
        thought, closed, said = text.partition(closing)
        if closed and (opening in thought or closing == "</think>"):
            return thought.replace(opening, "").strip(), said
        if opening in text and not closed:
            return text.partition(opening)[2].strip(), text.partition(opening)[0]
    return "", text


def _without_frames(words: str) -> str:
    return FRAMES.sub("", words).strip()


def _bare(said: str, reasoning: str) -> Reply:
    try:
        return Reply("", [_call(_json(said))], reasoning=reasoning)
    except Unreadable as error:
        return Reply("", broken=str(error), reasoning=reasoning)


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise Unreadable(f"the call is not JSON: {error}") from error


def _call(value: Any) -> dict:
    """A call as models write it. Arguments inside a string would reach the tool as a string: that is a broken call."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"]:
        raise Unreadable("the call has no name")
    arguments = value.get("arguments", value.get("parameters", {}))
    if not isinstance(arguments, dict):
        raise Unreadable(f"the arguments of {value['name']} are not an object")
    return {"name": value["name"], "arguments": arguments}


def _tagged_call(body: str, name: str, argument: str, tools: list[dict]) -> dict:
    found = re.match(name, body)
    if not found:
        raise Unreadable("the call has no name")
    called = found.group(1).strip()
    types = _types(called, tools)
    pairs = re.findall(argument, body[found.end() :], re.DOTALL)
    return {"name": called, "arguments": {key: _typed(text, types.get(key)) for key, text in pairs}}


def _types(name: str, tools: list[dict]) -> dict[str, Any]:
    """{"days": "integer"} of the tool that is called."""
    for tool in tools:
        function = tool.get("function", tool)
        if function.get("name") == name:
            properties = (function.get("parameters") or {}).get("properties") or {}
            return {key: schema.get("type") for key, schema in properties.items() if isinstance(schema, dict)}
    return {}


def _typed(text: str, wanted: Any) -> Any:
    """JSON, or a Python constant as Jinja writes it, unless the schema says that it is text."""
    if wanted == "string":
        return text
    constants = {"True": True, "False": False, "None": None}
    try:
        return constants[text] if text in constants else json.loads(text)
    except ValueError:
        return text
