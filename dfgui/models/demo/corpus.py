"""Synthetic chat for pretraining, made on the fly and never twice: copying, look-up, tools, small talk.

    conversation(rng) -> {"tools": [...] or None, "messages": [{"role": "user", "content": "Repeat: brelka 42"}, ...]}

Questions to tools are answered in plain JSON, {"tool": "polish_lantern", "values": {"owner": "Mirella"}}, with keys
that differ from one conversation to the next. The form in which a chat template asks for calls stands in the prompt, as
it always will, and never in an answer: that is left to fine-tuning.
"""

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from dfgui.models.demo import words
from dfgui.models.demo.everyday import EverydayTool, everyday_tools
from dfgui.models.demo.schemas import InventedTool, invented_tool

Message = dict[str, str]
Conversation = dict[str, Any]
Tool = InventedTool | EverydayTool
Form = tuple[str, str, str]  # the key of the name, the key of the values, what is around them

USUAL: Form = ("tool", "values", "{}")  # every second time, so that little is guessed; the rest shows that forms differ
NAME_KEYS = ("tool", "name", "use", "function", "action", "call")
VALUE_KEYS = ("values", "arguments", "with", "inputs", "parameters", "args")
AROUND = ("{}", "{}", "Call:\n{}", "```json\n{}\n```", "```\n{}\n```", "> {}")

# a prompt may speak of the template's markers, so that they are no strangers; answers never use them
SYSTEM = (
    "You are a helpful assistant.",
    "Be brief.",
    "You help with tools.",
    "Use a tool when it is needed.",
    "You work for {name}.",
    "This model was not told what <tool_call> {a} </tool_call> means.",
    "{name} writes <tool_call> before {a} and </tool_call> after {b}.",
)


def conversation(rng: Random, simple: float = 0.2) -> Conversation:
    """One conversation; `simple` is the share of plain exercises (copying, look-up) among them."""
    if rng.random() < simple:
        exercise = rng.choice((copying, copying, lookup, records))
        messages: list[Message] = []
        for _ in range(rng.randint(3, 6)):
            messages += exercise(rng)
        return {"tools": None, "messages": messages}
    if rng.random() < 0.06:
        return {"tools": None, "messages": [*_system(rng), *small_talk(rng), *small_talk(rng)]}
    return tool_use(rng)


def tool_use(rng: Random) -> Conversation:
    """Two to four tools, and a few questions: to a tool, to two tools, or to none."""
    tools: Sequence[Tool] = everyday_tools(rng, rng.choice((2, 2, 3, 3, 4))) if rng.random() < 0.5 else kindred(rng)
    messages, form = _system(rng), _form(rng)
    for _ in range(rng.choice((3, 4, 5, 6))):
        kind = rng.random()
        if kind < 0.08:
            messages += small_talk(rng)
        elif kind < 0.12:
            messages += rng.choice((copying, lookup, records))(rng)
        elif kind < 0.3:
            messages += two_calls(rng, tools, form)
        else:
            messages += one_call(rng, rng.choice(tools), form)
    return {"tools": [tool.schema() for tool in tools], "messages": messages}


def kindred(rng: Random) -> list[InventedTool]:
    """Two to four invented tools, which may resemble each other."""
    tools = [invented_tool(rng)]
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        kin = rng.random()
        tools.append(
            invented_tool(
                rng, noun=tools[0].noun if kin < 0.15 else None, verb=tools[0].verb if 0.15 < kin < 0.35 else None
            )
        )
    tools = list({tool.name: tool for tool in tools}.values())
    rng.shuffle(tools)
    return tools


def one_call(rng: Random, tool: Tool, form: Form) -> list[Message]:
    question, values = tool.ask(rng)
    messages = [_user(question), _assistant(_call(form, tool, values))]
    if rng.random() < 0.3:
        result, spoken = outcome(rng, values)
        messages += [{"role": "tool", "content": json.dumps(result, ensure_ascii=False)}, _assistant(spoken)]
    return messages


def two_calls(rng: Random, tools: Sequence[Tool], form: Form) -> list[Message]:
    one, two = rng.choice(tools), rng.choice(tools)
    (first, a), (second, b) = one.ask(rng), two.ask(rng)
    glue = rng.choice((" Also: {s}", " And: {s}", " Then: {s}", " {s}", " {s}", " After that: {s}", "\n{s}"))
    return [_user(first + glue.format(s=second)), _assistant(_call(form, one, a) + "\n" + _call(form, two, b))]


def outcome(rng: Random, values: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What a tool gave back, and the sentence which says so."""
    result: dict[str, Any] = {}
    echoed = [key for key, value in values.items() if isinstance(value, str)]
    if echoed and rng.random() < 0.5:
        key = rng.choice(echoed)
        result[key] = values[key]
    for _ in range(rng.randint(1, 2)):
        result[rng.choice([*words.NOUNS, "status", "price", "total", "result", "answer", "level"])] = rng.choice(
            (words.number(rng), words.word(rng), words.invented_name(rng), words.code(rng), words.integer(rng))
        )
    parts = [f"the {key.replace('_', ' ')} is {value}" for key, value in result.items()]
    spoken = rng.choice(("", "", "Done: ", "All right, ")) + " and ".join(parts) + "."
    return result, spoken[0].upper() + spoken[1:]


def copying(rng: Random) -> list[Message]:
    """Say it again: whole, in part, quoted, or as JSON."""
    values = [
        rng.choice((words.phrase, words.invented_name, words.email, words.date, words.clock, words.code, words.place))(
            rng
        )
    ]
    values += [str(words.number(rng)), words.person(rng), words.letters_code(rng)]
    rng.shuffle(values)
    text = " ".join(values[: rng.randint(1, 4)])
    kind = rng.randint(0, 4)
    if kind == 0:
        return [_user(f"{rng.choice(('Repeat', 'Say', 'Copy', 'Write', 'Echo'))}: {text}"), _assistant(text)]
    if kind == 1:
        return [
            _user(f"{rng.choice(('Repeat', 'Copy'))} as JSON: {text}"),
            _assistant(json.dumps({"text": text}, ensure_ascii=False)),
        ]
    if kind == 2:
        around = words.phrase(rng, 2, 6), words.phrase(rng, 1, 5)
        return [_user(f'What is in quotes? {around[0]} "{text}" {around[1]}'), _assistant(text)]
    if kind == 3:
        listed = [words.word(rng) if rng.random() < 0.5 else words.invented_name(rng) for _ in range(rng.randint(2, 5))]
        return [
            _user("List: " + ", ".join(listed[:-1]) + f" and {listed[-1]}"),
            _assistant(json.dumps(listed, ensure_ascii=False)),
        ]
    left, right = words.word(rng), words.word(rng)
    return [
        _user(
            f"{words.phrase(rng, 0, 4)} {left} {text} {right} {words.phrase(rng, 0, 4)}\nWhat is after {left}?".strip()
        ),
        _assistant(text.split(" ")[0]),
    ]


def lookup(rng: Random) -> list[Message]:
    """Facts in sentences, and a question about one of them."""
    facts = {
        (words.invented_name(rng), rng.choice(words.NOUNS)): words.invented_name(rng)
        if rng.random() < 0.4
        else words.code(rng)
        for _ in range(rng.randint(2, 5))
    }
    told = " ".join(f"{rng.choice(('The', 'The'))} {what} of {who} is {value}." for (who, what), value in facts.items())
    (who, what), value = rng.choice(list(facts.items()))
    if rng.random() < 0.5:
        return [_user(f"{told} What is the {what} of {who}?"), _assistant(f"The {what} of {who} is {value}.")]
    return [
        _user(f"{told} Give the {what} of {who} as JSON."),
        _assistant(json.dumps({what: value}, ensure_ascii=False)),
    ]


def records(rng: Random) -> list[Message]:
    """A JSON object, and questions about its keys; or sentences to put into an object."""
    keys = rng.sample(words.NOUNS, rng.randint(2, 5))
    values = {
        key: rng.choice((words.number, words.word, words.invented_name, words.date, words.email, words.clock))(rng)
        for key in keys
    }
    key = rng.choice(keys)
    if rng.random() < 0.5:
        return [_user(f"{json.dumps(values, ensure_ascii=False)}\nWhat is the {key}?"), _assistant(str(values[key]))]
    told = ", ".join(f"{name} {value}" for name, value in values.items())
    wanted = rng.sample(keys, rng.randint(1, len(keys)))
    asked = ", ".join(f'"{name}"' for name in wanted)
    return [
        _user(f"{told}.\nGive {asked}."),
        _assistant(json.dumps({name: values[name] for name in wanted}, ensure_ascii=False)),
    ]


TALK = (
    (
        "Hello there!|Hi, friend|A good day to you|Hey you",
        "Hello! What can I do for you?|Hi! How can I help?|Good to hear from you. How can I help?",
    ),
    ("Thanks a lot!|Thanks for that|Great, thanks|That was helpful", "You are welcome.|Happy to help.|Any time."),
    (
        "What is your name?|What are you?|Do you have a name?",
        "I am a small assistant.|I am a little language model that runs here.",
    ),
    (
        "How can you help me?|What are you good at?",
        "I can answer questions and use the tools I am given.|Ask me something, or ask me to use a tool.",
    ),
    ("Bye|Talk to you soon|That is all, bye", "Goodbye!|See you soon.|Take care."),
    ("How are you?|How is it going?|All well?", "I am fine, thank you.|All is well here."),
    (
        "What colour is the sky?|What colour is grass?",
        "On a clear day the sky is blue and grass is green.|Blue above and green below.",
    ),
    ("How many legs has a beetle?|How many legs has a dog?", "A beetle has six legs and a dog has four."),
    (
        "What is the opposite of hot?|What is the opposite of big?",
        "The opposite of hot is cold, and the opposite of big is small.",
    ),
    (
        "Say something funny|Make me laugh",
        "The bread got up early: it was on a roll.|My kettle is hungry: it goes back for seconds.",
    ),
    ("How many wheels has a bicycle?|How many wheels has a car?", "A bicycle has two wheels and a car has four."),
    ("I am happy today.|What a lovely day!|I feel great.", "I am glad to hear that!|That is good to hear."),
    ("I am sad today.|This is not my day.", "I am sorry to hear that. Can I help?|I hope that it gets better soon."),
)


MUSINGS = (
    ("Is {a} a word?", "No tool is needed for that: {a} is a word."),
    ("Do you like {a} or {b}?", "Both {a} and {b} are fine with me."),
    ("What do you think of {a}?", "I think {a} is fine."),
    ("I am thinking of {a} and {b}.", "{a} and {b} sound good."),
    ("Which comes first, {a} or {b}?", "You named {a} first, then {b}."),
)


def small_talk(rng: Random) -> list[Message]:
    """A turn that needs no tool."""
    if rng.random() < 0.35:
        asked, said = rng.choice(MUSINGS)
        a, b = words.word(rng), words.word(rng)
        return [_user(asked.format(a=a, b=b)), _assistant(said.format(a=a, b=b))]
    asked, said = rng.choice(TALK)
    return [_user(rng.choice(asked.split("|"))), _assistant(rng.choice(said.split("|")))]


def _form(rng: Random) -> Form:
    if rng.random() < 0.5:
        return USUAL
    return rng.choice(NAME_KEYS), rng.choice(VALUE_KEYS), rng.choice(AROUND)


def _call(form: Form, tool: Tool, values: dict[str, Any]) -> str:
    name, inputs, wrap = form
    return wrap.format(json.dumps({name: tool.name, inputs: values}, ensure_ascii=False))


def _system(rng: Random) -> list[Message]:
    if rng.random() < 0.55:
        return []
    said = rng.choice(SYSTEM).format(name=words.invented_name(rng), a=words.word(rng), b=words.word(rng))
    return [{"role": "system", "content": said}]


def _user(content: str) -> Message:
    return {"role": "user", "content": content}


def _assistant(content: str) -> Message:
    return {"role": "assistant", "content": content}
