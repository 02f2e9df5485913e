"""Chat templates that TRL does not know, written as others write them: what is learned is spelled out here by hand.

Of «these marks» in a text, what stands between them is learned: the assistant's words and the mark that ends its turn.
Where that cannot be told exactly the row is refused, and the reason is asserted.
"""

from datetime import date

import pytest

from dfgui.data import replies, template
from dfgui.data.conversation import Conversation
from dfgui.data.tokens import IGNORED, tokenize
from dfgui.errors import UserError
from tests.data.rows import WEATHER, answered, assistant, calls, user
from tests.data.sides import data_of, render, shown, trained

SYSTEM = {"role": "system", "content": "Be brief."}
CHAT = [user("Hi 🦜"), assistant("Hello wörld."), user("And now?"), assistant("Fine.")]
TOOLS = [user("Weather?"), calls({"city": 'Os"lo'}), answered('{"c": 4}'), assistant("4 C.")]
THINKING = [user("Hi"), assistant("<think>Hm.</think>Ho."), user("And now?"), assistant("<think>So.</think>Fine.")]

CHATML = """{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

LLAMA_2 = """{% if messages[0].role == 'system' %}
{%- set system = '<<SYS>>\\n' + messages[0].content + '\\n<</SYS>>\\n\\n' %}{% set messages = messages[1:] %}
{%- else %}{% set system = '' %}{% endif %}{% for m in messages %}
{%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}
{%- if m.role == 'user' %}{{ '<s>[INST] ' + (system if loop.first else '') + m.content | trim + ' [/INST]' }}
{%- else %}{{ ' ' + m.content | trim + ' </s>' }}{% endif %}{% endfor %}"""

ALPACA = """{% for m in messages %}{% if m.role == 'system' %}{{ m.content + '\\n\\n' }}
{%- elif m.role == 'user' %}{{ '### Instruction:\\n' + m.content + '\\n\\n' }}
{%- else %}{{ '### Response:\\n' + m.content + eos_token + '\\n\\n' }}{% endif %}{% endfor %}
{%- if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}"""

VICUNA = """{% for m in messages %}{% if m.role == 'system' %}{{ m.content + ' ' }}
{%- elif m.role == 'user' %}{{ 'USER: ' + m.content + ' ' }}
{%- else %}{{ 'ASSISTANT: ' + m.content + '</s>' }}{% endif %}{% endfor %}
{%- if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"""

ZEPHYR = """{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + eos_token + '\\n' }}
{%- if loop.last and add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}{% endfor %}"""

STRIPS = CHATML.replace("{{ m.content }}", "{{ m.content.strip() }}")

MARKS = """{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}{% if m.role == 'assistant' %}
{%- generation %}{{ m.content + '<|im_end|>' }}{% endgeneration %}
{%- else %}{{ m.content + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"""

NO_SYSTEM = (
    """{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}""" + CHATML
)

DATED = (
    """Today is {{ strftime_now('%d %B %Y') }}.
"""
    + CHATML
)

MINIMAL = """{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}"""

ENDED_BY_THE_NEXT = """{% for m in messages %}{{ (eos_token if m.role == 'user' and not loop.first else '') }}
{{- '<|' + m.role + '|>' + m.content }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"""

END_AT_THE_END = """{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"""

# The habit of Qwen 3 and DeepSeek R1: thoughts stay in the last answer only.
FORGETS_THOUGHTS = """{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content if loop.last else m.content.split('</think>')[-1] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

FORGETS_ANSWERS = """{% for m in messages %}{% if m.role == 'user' or loop.last or messages | length < 3 %}
{{- '<|' + m.role + '|>' + m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"""

HERMES = """{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>
{{ {'name': c.function.name, 'arguments': c.function.arguments} | tojson }}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""

PYTHON = HERMES.replace(" | tojson", "").replace("<tool_call>", "CALL").replace("</tool_call>", "END")
PYTHON_BETWEEN_HERMES_MARKS = HERMES.replace(" | tojson", "")

EXACT = {
    "ChatML": (
        CHATML,
        [SYSTEM, *CHAT],
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi 🦜<|im_end|>\n"
        "<|im_start|>assistant\n«Hello wörld.<|im_end|>\n»<|im_start|>user\nAnd now?<|im_end|>\n"
        "<|im_start|>assistant\n«Fine.<|im_end|>\n»",
    ),
    "Llama 2, the system in the first question": (
        LLAMA_2,
        [SYSTEM, *CHAT],
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi 🦜 [/INST]« Hello wörld. </s>»"
        "<s>[INST] And now? [/INST]« Fine. </s>»",
    ),
    "Alpaca": (
        ALPACA,
        [SYSTEM, *CHAT],
        "Be brief.\n\n### Instruction:\nHi 🦜\n\n### Response:\n«Hello wörld.<|im_end|>\n\n»"
        "### Instruction:\nAnd now?\n\n### Response:\n«Fine.<|im_end|>\n\n»",
    ),
    "Vicuna": (
        VICUNA,
        [SYSTEM, *CHAT],
        "Be brief. USER: Hi 🦜 ASSISTANT:« Hello wörld.</s>»USER: And now? ASSISTANT:« Fine.</s>»",
    ),
    "Vicuna, whose blank is one token with the answer": (
        VICUNA.replace("{{ 'ASSISTANT:' }}", "{{ 'ASSISTANT: ' }}"),
        [user("Where?"), assistant("Oslo")],
        "USER: Where? ASSISTANT:« Oslo</s>»",
    ),
    "Zephyr, whose prompt ends before the line break": (
        ZEPHYR,
        [SYSTEM, *CHAT],
        "<|system|>\nBe brief.<|im_end|>\n<|user|>\nHi 🦜<|im_end|>\n<|assistant|>«\nHello wörld.<|im_end|>\n»"
        "<|user|>\nAnd now?<|im_end|>\n<|assistant|>«\nFine.<|im_end|>\n»",
    ),
    "one that strips": (
        STRIPS,
        [user("  Hi \n"), assistant("\n Ho  ")],
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n«Ho<|im_end|>\n»",
    ),
    "one with marks of its own, which leave out the line break": (
        MARKS,
        CHAT,
        "<|im_start|>user\nHi 🦜<|im_end|>\n<|im_start|>assistant\n«Hello wörld.<|im_end|>»\n"
        "<|im_start|>user\nAnd now?<|im_end|>\n<|im_start|>assistant\n«Fine.<|im_end|>»\n",
    ),
    "one that raises for a system message, without one": (
        NO_SYSTEM,
        CHAT[:2],
        "<|im_start|>user\nHi 🦜<|im_end|>\n<|im_start|>assistant\n«Hello wörld.<|im_end|>\n»",
    ),
    "one whose question ends the answer before it: no end is learned": (
        ENDED_BY_THE_NEXT,
        CHAT,
        "<|user|>Hi 🦜<|assistant|>«Hello wörld.»<|im_end|><|user|>And now?<|assistant|>«Fine.»",
    ),
    "one without a prompt for an answer": (
        MINIMAL,
        CHAT,
        "user: Hi 🦜\n«assistant: Hello wörld.\n»user: And now?\n«assistant: Fine.\n»",
    ),
    "one that ends a text once, with one answer": (
        END_AT_THE_END,
        CHAT[:2],
        "<|user|>Hi 🦜<|assistant|>«Hello wörld.<|im_end|>»",
    ),
    "one that forgets thoughts, with none": (
        FORGETS_THOUGHTS,
        CHAT,
        "<|im_start|>user\nHi 🦜<|im_end|>\n<|im_start|>assistant\n«Hello wörld.<|im_end|>\n»"
        "<|im_start|>user\nAnd now?<|im_end|>\n<|im_start|>assistant\n«Fine.<|im_end|>\n»",
    ),
    "one that forgets thoughts, with one answer": (
        FORGETS_THOUGHTS,
        THINKING[:2],
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n«<think>Hm.</think>Ho.<|im_end|>\n»",
    ),
    "calls as Hermes has them": (
        HERMES,
        TOOLS,
        "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n«<tool_call>\n"
        '{"name": "get_weather", "arguments": {"city": "Os\\"lo"}}\n</tool_call><|im_end|>\n»'
        '<|im_start|>tool\n{"c": 4}<|im_end|>\n<|im_start|>assistant\n«4 C.<|im_end|>\n»',
    ),
    "calls as Python prints them": (
        PYTHON,
        TOOLS,
        "<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n«CALL\n"
        "{'name': 'get_weather', 'arguments': {'city': 'Os\"lo'}}\nEND<|im_end|>\n»"
        '<|im_start|>tool\n{"c": 4}<|im_end|>\n<|im_start|>assistant\n«4 C.<|im_end|>\n»',
    ),
}


def marked(tokens) -> str:
    """The text, with marks around each stretch that is learned."""
    found, inside = "", False
    for (start, end), label in zip(tokens.spans, tokens.labels, strict=True):
        if (label != IGNORED) != inside:
            found += "»" if inside else "«"
            inside = not inside
        found += tokens.text[start:end]
    return found + ("»" if inside else "")


@pytest.mark.parametrize("case", EXACT)
def test_what_is_learned_is_what_the_assistant_says(tokenizer_of, case):
    text, messages, expected = EXACT[case]
    assert marked(tokenize(Conversation(messages, []), tokenizer_of(text), None, "assistant")) == expected


@pytest.mark.parametrize("case", EXACT)
def test_the_trainer_gets_what_the_preview_shows(tokenizer_of, tmp_path, home, case):
    text, messages, _ = EXACT[case]
    tokenizer, rows = tokenizer_of(text), [{"messages": messages}] * 2
    for train_on in ("assistant", "last_assistant", "everything"):
        data = data_of("messages", train_on)
        ours = trained(rows, data, tokenizer, tmp_path / "rows.jsonl", home)
        assert shown(rows, data, tokenizer) == ours


UNTOLD = "cannot be marked: its turn 2 is rendered differently with and without what follows"
REFUSED = {
    "one that ends a text once, with two answers": (END_AT_THE_END, CHAT, UNTOLD),
    "one that forgets thoughts": (FORGETS_THOUGHTS, THINKING, UNTOLD),
    "one that forgets answers": (FORGETS_ANSWERS, CHAT, UNTOLD),
    "ChatML and a call": (CHATML, TOOLS, "has a tool call, which this model's chat template cannot carry"),
    "Llama 2 and a call": (LLAMA_2, TOOLS, "has a tool call, which this model's chat template cannot carry"),
    "Llama 2 and two questions": (LLAMA_2, [CHAT[0], *CHAT], "Conversation roles must alternate"),
    "one that raises for a system message": (NO_SYSTEM, [SYSTEM, *CHAT], "System role not supported"),
    "marks of Hermes around Python": (PYTHON_BETWEEN_HERMES_MARKS, TOOLS, "template would garble"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_told_exactly_is_refused_by_row_with_the_reason(tokenizer_of, tmp_path, home, case):
    text, messages, reason = REFUSED[case]
    tokenizer, row, data = tokenizer_of(text), {"messages": messages}, data_of("messages", "assistant")
    for use in (
        lambda: shown([row], data, tokenizer),
        lambda: trained([row], data, tokenizer, tmp_path / "rows.jsonl", home),
    ):
        with pytest.raises(UserError) as caught:
            use()
        assert caught.value.what.startswith("Row 1 ")
        assert reason in f"{caught.value.what} {caught.value.why}"
        assert caught.value.do


LAST = {
    "one that ends a text once": (
        END_AT_THE_END,
        CHAT,
        "<|user|>Hi 🦜<|assistant|>Hello wörld.<|user|>And now?<|assistant|>«Fine.<|im_end|>»",
    ),
    "one that forgets thoughts": (
        FORGETS_THOUGHTS,
        THINKING,
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHo.<|im_end|>\n<|im_start|>user\nAnd now?<|im_end|>\n"
        "<|im_start|>assistant\n«<think>So.</think>Fine.<|im_end|>\n»",
    ),
    "one that forgets answers": (FORGETS_ANSWERS, CHAT, "<|user|>Hi 🦜<|user|>And now?<|assistant|>«Fine.»"),
}


@pytest.mark.parametrize("case", LAST)
def test_the_last_answer_is_learned_where_earlier_ones_cannot_be(tokenizer_of, case):
    """As the refusal advises: after the history that the template writes when it is asked."""
    text, messages, expected = LAST[case]
    assert marked(tokenize(Conversation(messages, []), tokenizer_of(text), None, "last_assistant")) == expected


def test_a_template_with_the_date_has_that_of_the_day(tokenizer_of):
    before = date.today()
    found = marked(tokenize(Conversation(CHAT[:2], []), tokenizer_of(DATED), None, "assistant"))
    day, _, rest = found.partition("\n")
    assert day in {f"Today is {one:%d %B %Y}." for one in (before, date.today())}
    assert rest == "<|im_start|>user\nHi 🦜<|im_end|>\n<|im_start|>assistant\n«Hello wörld.<|im_end|>\n»"


def test_a_call_between_marks_of_hermes_is_read_back(tokenizer_of):
    text = render(Conversation(TOOLS, []), tokenizer_of(HERMES))
    assert replies.marked(text, [WEATHER]).calls == [{"name": "get_weather", "arguments": {"city": 'Os"lo'}}]
    assert not template.describe(tokenizer_of(HERMES)).offered
