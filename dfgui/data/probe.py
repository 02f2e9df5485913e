"""What a chat template can carry, found by rendering short conversations with it and reading them back.

    examine("{{ messages }}...") -> Template(tools=True, arguments="object", note="tools: yes, ...")

Given arguments as JSON text many templates encode them a second time, some fail, some want nothing else; others drop
calls without a word.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from dfgui.data import jinja, replies, tools_in_words
from dfgui.errors import UserError

ARGUMENTS = {"city_probe": 'Os"lo', "area_probe": {"deep_probe": [1, 2]}}
# A template that puts text between quotes and leaves the quotes in it alone writes what nobody can read.
QUOTED = {"quoted_probe": 'it\'s "one" \\ two'}
TOOL = {"name": "offered_probe", "description": "Probe", "parameters": {"type": "object", "properties": {}}}
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": False}
# Where templates look for the thoughts of an assistant turn.
THOUGHTS = ("reasoning_content", "thinking", "reasoning")


@dataclass(frozen=True)
class Template:
    tools: bool  # calls and results both reach the text
    arguments: Literal["object", "string"] | None  # None: calls are dropped or refused
    training: str | None  # template used for tokenising; None: none that marks what the assistant says is known
    note: str  # for people
    several: bool = False  # more than one call in a turn
    results: bool = False  # what a tool answered
    offered: bool = False  # the list of tools
    thoughts: str | None = None  # the key it reads reasoning from
    beside: bool = True  # words beside a call
    rewritten: str = ""  # how an earlier answer is asked otherwise than it is trained; "" when it is not
    opened: str = ""  # how the beginning of an answer without thoughts is asked otherwise than it is trained
    opened_thinking: str = ""  # the same of one with thoughts
    ends: bool = True  # an answer has an end that is learned, whatever follows it
    ends_between: bool = True  # it has one where a question follows
    careless: bool = False  # arguments are written so that some cannot be read back: each call is tried


@lru_cache(maxsize=64)
def examine(template: str) -> Template:
    """What a template does with a call, two calls, a result, the list of tools and a thought."""
    plain, problem = _try(template, _thinking())
    if problem:
        raise UserError(
            "The chat template of this model does not work.", f"It says: {problem}.", "Choose another model."
        )
    if not all(message["content"] in plain for message in _thinking()):
        raise UserError(
            "The chat template of this model drops what is said.",
            "A question and its answer do not both reach the text: it may want them in parts, as models for images do.",
            "Choose another model.",
        )
    arguments, words = _argument_form(template)
    training = _training(template)
    rewritten, opened = _asked_otherwise(template, training)
    call = _call(ARGUMENTS if arguments != "string" else json.dumps(ARGUMENTS))
    thoughts = next((key for key in THOUGHTS if _reads_thoughts(template, key, call)), None)
    text = _try(template, _turns(call), [{"type": "function", "function": TOOL}])[0]
    twice = _try(template, _turns(call, {**call, "function": {**call["function"], "name": "second_probe"}}))[0]
    results = "result_probe" in (text or _try(template, _turns())[0])
    if arguments and not results:
        words = "tools: no, results are dropped"
    elif arguments:
        words = f"tools: yes, arguments as {arguments}"
        words += "" if "offered_probe" in text else "; the list of tools is not shown to the model"
    return Template(
        tools=bool(arguments) and results,
        arguments=arguments,
        training=training,
        note=words,
        several=bool(arguments) and "called_probe" in twice and "second_probe" in twice,
        results=results,
        offered="offered_probe" in text,
        beside=not arguments or "beside_probe" in _try(template, _turns(call, words="beside_probe"))[0],
        rewritten=rewritten,
        opened=opened,
        opened_thinking=_asked_otherwise(template, training, thoughts)[1] if thoughts else "",
        ends=bool(end_of_turn(template)),
        ends_between=bool(end_of_turn(template)) or _learns_what_follows(training),
        careless=arguments == "object" and _is_careless(template),
        thoughts=thoughts,
    )


def _reads_thoughts(template: str, key: str, call: dict) -> bool:
    """Whether a thought reaches the text beside an answer, or beside a call, where some templates keep it only."""
    calling = _turns(call)
    calling[1][key] = "thought_probe"
    return any("thought_probe" in _try(template, messages)[0] for messages in (_thinking(key), calling))


def _argument_form(template: str) -> tuple[Literal["object", "string"] | None, str]:
    """The form in which arguments arrive as they are, and words for people where none does."""
    seen = _read_back(template, ARGUMENTS)
    if seen == "whole":
        return "object", ""
    if _read_back(template, json.dumps(ARGUMENTS)) == "whole":
        return "string", ""
    if seen == "as Python":
        return "object", ""
    return None, f"tools: no, calls are {seen}"


def _read_back(template: str, arguments: Any) -> str:
    """What became of a call's arguments: "whole", "as Python", "encoded twice", "dropped" or "refused (why)"."""
    text, problem = _try(template, _turns(_call(arguments)))
    if problem:
        return f"refused ({problem})"
    if not all(word in text for word in ("called_probe", *ARGUMENTS, "deep_probe")):
        return "dropped"
    if '\\"deep_probe' in text or (isinstance(arguments, str) and arguments not in text):
        return "encoded twice"
    return "as Python" if "{'deep_probe': " in text else "whole"


def _asked_otherwise(template: str, training: str | None, thoughts: str | None = None) -> tuple[str, str]:
    """What an earlier answer and the beginning of a new one become between training and asking, in words; "" if equal.

    Qwen3 takes the thoughts of earlier answers away; DeepSeek opens an answer with <think>, whether it thinks or not.
    """
    talk = [*_thinking(), {"role": "user", "content": "next_probe"}]
    answer = {"role": "assistant", "content": "last_probe", **({thoughts: "thought_probe"} if thoughts else {})}
    trained = _try(training or template, [*talk, answer])[0]
    asked = _try(template, talk, special={**SPECIAL, "add_generation_prompt": True})[0]
    if not trained or not asked:
        return "", ""
    (before, _, start), (asked_before, _, asked_start) = trained.partition("next_probe"), asked.partition("next_probe")
    start = start.partition("thought_probe" if thoughts and "thought_probe" in start else "last_probe")[0]
    rewritten = "" if before == asked_before else _otherwise(_first_answer(before), _first_answer(asked_before))
    return rewritten, "" if start.startswith(asked_start) else _otherwise(start, asked_start)


def _learns_what_follows(training: str | None) -> bool:
    """Whether the mark that opens the next question is learned with the answer before it, as the end of it."""
    if training is None:
        return False
    talk = [*_thinking(), {"role": "user", "content": "next_probe"}]
    text, blocks = jinja.run(training, talk, None, True, SPECIAL)
    return any(text[start:end].partition("answer_probe")[2].strip() for start, end in blocks)


def _first_answer(text: str) -> str:
    """What stands between a question and the end of its answer."""
    return text.partition("question_probe")[2].partition("answer_probe")[0]


def _otherwise(trained: str, asked: str) -> str:
    shown, other = (json.dumps(text + "...", ensure_ascii=False) for text in (trained, asked))
    return f"trained as {shown}, asked as {other}"


def reads_back(template: str, message: dict, calls: list[dict], tools: list[dict]) -> bool:
    """Whether the calls of a turn are read back from the text as they are; True where nobody here reads its form."""
    text, problem = _try(template, [{"role": "user", "content": "Hi"}, message])
    if problem:
        return True  # said when the row itself is rendered
    reply = replies.marked(text, tools)
    return reply is None or reply.calls == calls


def _is_careless(template: str) -> bool:
    called = {"name": "called_probe", "arguments": QUOTED}
    schema = {"type": "object", "properties": {"quoted_probe": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "called_probe", "parameters": schema}}
    asked = {"role": "assistant", "content": "", "tool_calls": [_call(QUOTED)]}
    return not reads_back(template, asked, [called], [tool])


def _try(
    template: str, messages: list[dict], tools: list[dict] | None = None, special: dict | None = None
) -> tuple[str, str]:
    """The text, and what the template says against it: one of the two is empty."""
    try:
        return jinja.run(template, messages, tools, False, special or SPECIAL)[0], ""
    except Exception as error:
        return "", str(error) or type(error).__name__


def _call(arguments: Any) -> dict:
    return {"id": "probe0001", "type": "function", "function": {"name": "called_probe", "arguments": arguments}}


def _turns(*calls: dict, words: str = "") -> list[dict]:
    asked = {"role": "assistant", "content": words}
    result = {"role": "tool", "tool_call_id": "probe0001", "name": "called_probe", "content": "result_probe"}
    return [
        {"role": "user", "content": "Hi"},
        {**asked, "tool_calls": list(calls)} if calls else asked,
        *[result for _ in calls or [None]],
        {"role": "assistant", "content": "Done"},
    ]


def _thinking(key: str | None = None) -> list[dict]:
    thought = {key: "thought_probe"} if key else {}
    said = {"role": "assistant", "content": "answer_probe", **thought}
    return [{"role": "user", "content": "question_probe"}, said]


def _training(template: str) -> str | None:
    """The template that marks what the assistant says: this one if it does, TRL's version of it if there is one."""
    from trl.chat_template_utils import get_training_chat_template, has_generation_markers

    if has_generation_markers(template):
        return template
    before, own = tools_in_words.unwrap(template)
    try:
        found = get_training_chat_template(_JustText(own))  # type: ignore[arg-type]
    except ValueError:
        return None
    return before + found if found else None


class _JustText:
    """TRL looks a training template up by the text of the original, but asks for a tokenizer that renders."""

    def __init__(self, template: str):
        self.chat_template = template

    def apply_chat_template(self, *_: Any, **__: Any) -> str:
        from jinja2 import TemplateError

        raise TemplateError("not needed to look a template up")


def with_tools_in_words(own: str) -> str:
    """The template, with tools in the system message; in the first of the user where it has no place for one."""
    if tools_in_words.unwrap(own)[0]:
        return own
    wrapped = tools_in_words.wrap(own)
    return wrapped if examine(wrapped).offered else tools_in_words.wrap(own, "user")


def samples(template: str) -> list[str]:
    """What the template prints of short conversations: with a system message, and with a tool, a call, its result."""
    arguments = json.dumps(ARGUMENTS) if examine(template).arguments == "string" else ARGUMENTS
    with_system = [{"role": "system", "content": "system_probe"}, *_thinking()]
    tools = [{"type": "function", "function": TOOL}]
    talks: list[tuple[list[dict], list[dict] | None]] = [
        (_thinking(), None), (with_system, None), (_turns(_call(arguments)), tools)
    ]  # fmt: skip
    return [_try(template, *talk)[0] for talk in talks]


def end_of_turn(template: str) -> str:
    """What the template ends an assistant's turn with: "<|im_end|>". Empty where it says nothing."""
    return _try(template, _thinking())[0].partition("answer_probe")[2].strip()
