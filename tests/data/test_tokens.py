"""What is learned, token for token: equal to TRL's own preparation wherever that is right."""

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfgui.data.conversation import Conversation, RowError
from dfgui.data.formats import to_conversation
from dfgui.data.tokens import IGNORED, tokenize
from dfgui.errors import UserError
from tests.data.oracle import trl_rows
from tests.data.rows import NEWS, PLAIN, SYSTEM, TOOLS, WEATHER, answered, assistant, calls, user

WITH_TOOLS = [
    *("qwen3", "qwen2_5", "qwen3_instruct_2507", "qwen3_5_think", "qwen3_6", "qwen3_8", "qwen3_vl", "gptoss"),
    *("glm4moe", "lfm2_2_5", "nemotron_3_nano", "muse_glimmer"),
]
WITHOUT = ["gemma3", "llama3", "phi3", "cohere", "cohere2", "lfm2", "deepseek_r1_distill"]
MARKED_BY_TRL = [*WITH_TOOLS, *WITHOUT, "deepseekv3", "diffusion_gemma"]
UNMARKED = ["llama3_1", "llama3_2", "gemma4"]  # TRL knows no training template for these

PARALLEL = [
    user("Oslo and Rome?"),
    calls({"city": "Oslo"}, {"city": "Rome"}),
    answered("4"),
    answered("9"),
    assistant("Ok"),
]
UNUSUAL = [user("  \n é̂ 👩‍👩‍👧 "), assistant("\n\n  x  \n", reasoning_content="Hm."), user("𝔘"), assistant("日本語 ok")]
CHATS = {"plain": (PLAIN, []), "system": (SYSTEM, []), "unusual": (UNUSUAL, [])}
TOOL_CHATS = {"tools": (TOOLS, [WEATHER, NEWS]), "calls without tools": (TOOLS, [])}


def ours(tokenizer, row: dict, train_on: str = "assistant", max_length: int | None = None):
    tokens = tokenize(
        to_conversation(row, "messages" if "messages" in row else "prompt_completion"), tokenizer, max_length, train_on
    )
    assert "".join(tokens.text[start:end] for start, end in tokens.spans) == tokens.text or tokens.cut
    assert len(tokens.input_ids) == len(tokens.labels) == len(tokens.spans) == len(tokens.roles)
    return tokens.input_ids, tokens.labels


def rows_for(name: str) -> list[dict]:
    """Rows that the template can carry. `tools` is left out where there are none: an empty list is not none to TRL."""
    chats = CHATS if name in WITHOUT else CHATS | TOOL_CHATS
    if name not in (*WITHOUT, "gptoss", "llama3_1", "llama3_2"):
        chats = chats | {"parallel": (PARALLEL, [WEATHER])}
    if name in ("gptoss", "lfm2_2_5"):  # read thoughts under another name, which TRL does not put them
        chats = {label: chat for label, chat in chats.items() if label != "unusual"}
    return [{"messages": messages, **({"tools": tools} if tools else {})} for messages, tools in chats.values()]


def as_completion(row: dict) -> dict:
    """The same chat as TRL's prompt and completion: the last message is what is to be learned."""
    *prompt, last = row["messages"]
    return {"prompt": prompt, "completion": [last], **{key: value for key, value in row.items() if key != "messages"}}


def same(tokenizer, rows: list[dict], train_on: str, **options) -> None:
    """All rows are as TRL makes them; it is asked for rows of the same columns at once."""
    for columns in {tuple(row) for row in rows}:
        alike = [row for row in rows if tuple(row) == columns]
        assert [ours(tokenizer, row, train_on) for row in alike] == trl_rows(tokenizer, alike, **options)


def words(tokens, learned: bool = True) -> str:
    """The text that is learned, or the rest; what lies between is shortened to |."""
    pairs = zip(tokens.spans, tokens.labels, strict=True)
    runs = groupby(pairs, key=lambda pair: (pair[1] != IGNORED) == learned)
    parts = ("".join(tokens.text[start:end] for (start, end), _ in run) for wanted, run in runs if wanted)
    return "|".join(part for part in parts if part)


@pytest.mark.parametrize("name", MARKED_BY_TRL)
def test_assistant_turns_are_those_of_trls_assistant_only_loss(tokenizer_of, name):
    same(tokenizer_of(name), rows_for(name), "assistant", assistant_only_loss=True)


@pytest.mark.parametrize("name", ["qwen3", "glm4moe", "phi3", *UNMARKED])
def test_everything_is_what_trl_trains_by_default(tokenizer_of, name):
    same(tokenizer_of(name), rows_for(name), "everything")


@pytest.mark.parametrize("name", ["qwen3", "qwen2_5", "gptoss", "lfm2_2_5", "gemma3", *UNMARKED])
def test_a_completion_of_messages_is_what_trl_trains_of_it(tokenizer_of, name):
    rows = [as_completion(row) for row in rows_for(name)]
    same(tokenizer_of(name), rows, "assistant")
    assert ours(tokenizer_of(name), rows[0], "assistant") == ours(tokenizer_of(name), rows[0], "completion")


@pytest.mark.parametrize("name", ["qwen3", "gemma3", "llama3_1"])
def test_the_last_answer_is_learned_after_the_prompt_that_inference_renders(tokenizer_of, name):
    for row in rows_for(name):
        expected = ours(tokenizer_of(name), as_completion(row), "completion")
        assert ours(tokenizer_of(name), row, "last_assistant") == expected
        assert ours(tokenizer_of(name), row, "completion") == expected


def test_a_completion_with_tool_results_learns_the_assistants_part_of_it(qwen3):
    row = {"prompt": TOOLS[:1], "completion": TOOLS[1:], "tools": [WEATHER]}
    same(qwen3, [row], "completion", assistant_only_loss=True)
    tokens = tokenize(to_conversation(row, "prompt_completion"), qwen3, None, "completion")
    assert "4 C." in words(tokens)
    assert '{"c": 4}' not in words(tokens)


@pytest.mark.parametrize("row", [{"text": "Once upon 🦜"}, {"text": "Once<|im_end|>"}])
def test_text_is_learned_whole_and_ended_once(qwen3, row):
    tokens = tokenize(to_conversation(row, "text"), qwen3, None, "assistant")
    assert (tokens.input_ids, tokens.labels) == trl_rows(qwen3, [row])[0]
    assert tokens.text.count("<|im_end|>") == 1


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "2 + 2 =", "completion": " 4"},
        {"prompt": "a ", "completion": " b"},
        {"prompt": "", "completion": "x"},
    ],
)
def test_prompt_and_completion_as_text_are_those_of_trl(qwen3, row):
    same(qwen3, [row], "assistant")
    same(qwen3, [row], "everything", completion_only_loss=False)


@pytest.mark.parametrize("start", [True, False])
def test_tokens_that_a_tokenizer_adds_to_text_are_added(start):
    from tokenizers.processors import TemplateProcessing

    from tests.data.conftest import make_tokenizer

    single = "<s> $A" if start else "$A </s>"
    added = TemplateProcessing(single=single, special_tokens=[("<s>", 0), ("</s>", 1)])
    tokenizer = make_tokenizer("qwen3", added)
    same(tokenizer, [{"prompt": "2 + 2 =", "completion": " 4"}], "assistant")
    same(tokenizer, [{"messages": PLAIN}], "everything")


@pytest.mark.parametrize("name", UNMARKED)
def test_templates_without_marks_are_read_by_their_beginnings(tokenizer_of, name):
    ends = {"gemma4": ("<turn|>\n", "")}.get(name, ("<|eot_id|>", ""))[0]
    tokens = tokenize(Conversation(SYSTEM, []), tokenizer_of(name), None, "assistant")
    assert words(tokens) == f"Hello wörld.{ends}|Fine.{ends}"
    tokens = tokenize(Conversation(TOOLS, [WEATHER]), tokenizer_of(name), None, "assistant")
    assert words(tokens).endswith(f"4 C.{ends}")
    assert "get_weather" in words(tokens)
    assert "Weather of a city" not in words(tokens)
    assert 'c\\": 4' not in words(tokens)


def test_a_template_without_marks_whose_beginnings_change_is_refused_in_words(tokenizer_of):
    edited = tokenizer_of("qwen3").chat_template.replace("You may call one or more functions", "You may call functions")
    tokenizer = tokenizer_of(edited)
    with pytest.raises(RowError) as caught:
        tokenize(Conversation(PLAIN, []), tokenizer, None, "assistant")
    assert caught.value.said.startswith("cannot be marked: its turn 2 is rendered differently")
    assert "last_assistant" in caught.value.do
    assert words(tokenize(Conversation(PLAIN[:2], []), tokenizer, None, "assistant")).endswith(
        "Hello wörld.<|im_end|>\n"
    )
    assert words(tokenize(Conversation(PLAIN, []), tokenizer, None, "last_assistant")).endswith("Fine.<|im_end|>\n")


def test_the_whole_last_character_is_learned_though_trl_drops_its_later_bytes(tokenizer_of):
    """Where a generation block ends in a character of several tokens, transformers marks the first of them only."""
    row = {"messages": [user("Hi"), assistant("Bye 🦜")]}
    ids, labels = ours(tokenizer_of("diffusion_gemma"), row)
    theirs = trl_rows(tokenizer_of("diffusion_gemma"), [row], assistant_only_loss=True)[0]
    assert ids == theirs[0]
    assert "Bye 🦜" in tokenizer_of("diffusion_gemma").decode([label for label in labels if label != IGNORED])
    assert "Bye 🦜" not in tokenizer_of("diffusion_gemma").decode([label for label in theirs[1] if label != IGNORED])


def test_s2_null_keys_change_no_token(tokenizer_of):
    clean = {"messages": TOOLS, "tools": [WEATHER]}
    nulls = [{**turn, "tool_calls": turn.get("tool_calls"), "name": None, "tool_call_id": None} for turn in TOOLS]
    tools = [{**WEATHER, "function": {**WEATHER["function"], "strict": None}}]
    for name in ("qwen3", "llama3_1", "gptoss", "lfm2_2_5", "deepseekv3"):
        assert ours(tokenizer_of(name), {"messages": nulls, "tools": tools}) == ours(tokenizer_of(name), clean)


def test_s3_arguments_and_tools_as_json_text_change_no_token(tokenizer_of):
    import json

    clean = {"messages": TOOLS, "tools": [WEATHER]}
    text = calls(json.dumps(TOOLS[1]["tool_calls"][0]["function"]["arguments"]))
    row = {"messages": [TOOLS[0], text, *TOOLS[2:]], "tools": json.dumps([WEATHER])}
    for name in [*WITH_TOOLS, *UNMARKED, "deepseekv3"]:
        assert ours(tokenizer_of(name), row) == ours(tokenizer_of(name), clean)


@pytest.mark.parametrize("train_on", ["assistant", "last_assistant", "completion"])
def test_tool_results_and_questions_are_never_learned_but_by_everything(qwen3, train_on):
    learned = words(tokenize(Conversation(TOOLS, [WEATHER]), qwen3, None, train_on))
    assert '{"c": 4}' not in learned
    assert "Weather in Oslo?" not in learned
    assert "4 C.<|im_end|>" in learned
    assert ("get_weather" in learned) == (train_on == "assistant")
    everything = tokenize(Conversation(TOOLS, [WEATHER]), qwen3, None, "everything")
    assert everything.labels == everything.input_ids


def test_what_follows_the_last_answer_is_left_out_when_only_that_is_learned(qwen3):
    chat = Conversation([*PLAIN, user("Thanks!")], [])
    assert "Thanks!" not in tokenize(chat, qwen3, None, "last_assistant").text
    assert "Thanks!" in tokenize(chat, qwen3, None, "assistant").text


@pytest.mark.parametrize("train_on", ["assistant", "last_assistant", "completion"])
def test_a_chat_without_an_answer_is_refused(qwen3, train_on):
    for chat in (Conversation([user("Hi")], []), Conversation([assistant("Hi"), user("Ho")], [], train_from=1)):
        with pytest.raises(RowError, match="has no assistant turn"):
            tokenize(chat, qwen3, None, train_on if chat.train_from is None else "assistant")
    assert tokenize(Conversation([user("Hi")], []), qwen3, None, "everything").trained


def test_an_answer_without_a_prompt_is_refused_where_a_prompt_is_needed(qwen3):
    with pytest.raises(RowError, match="begins with its only answer"):
        tokenize(Conversation([assistant("Hi")], []), qwen3, None, "last_assistant")
    assert tokenize(Conversation([assistant("Hi")], []), qwen3, None, "assistant").trained


def test_what_lies_beyond_max_length_is_cut_as_trl_cuts_it(qwen3):
    row = {"messages": SYSTEM}
    whole = tokenize(Conversation(SYSTEM, []), qwen3, None, "assistant")
    first = next(at for at, label in enumerate(whole.labels) if label != IGNORED)
    cut = tokenize(Conversation(SYSTEM, []), qwen3, first + 2, "assistant")
    assert (cut.input_ids, cut.labels) == trl_rows(qwen3, [row], assistant_only_loss=True, max_length=first + 2)[0]
    assert (cut.trained, cut.cut) == (2, len(whole.input_ids) - first - 2)
    assert (cut.spans, cut.roles) == (whole.spans[: first + 2], whole.roles[: first + 2])
    assert cut.text == whole.text
    assert tokenize(Conversation(SYSTEM, []), qwen3, first, "assistant").trained == 0


def test_the_slices_of_the_tokens_join_to_the_text_whatever_the_tokenizer_leaves_out():
    """Llama's tokenizer trims blanks from its offsets; byte-level tokens may share a character."""
    from tokenizers.processors import ByteLevel

    from tests.data.conftest import make_tokenizer

    for processor in (None, ByteLevel(trim_offsets=True)):
        tokenizer = make_tokenizer("llama3_1", processor)
        chat = [user("  two  blanks \n\n 👩‍👩‍👧"), assistant("  and   here 🦜 ")]
        tokens = tokenize(Conversation(chat, []), tokenizer, None, "assistant")
        assert "".join(tokens.text[start:end] for start, end in tokens.spans) == tokens.text
        assert words(tokens) == "and   here 🦜<|eot_id|>"


def test_roles_are_told_for_each_token_and_can_be_spared(qwen3):
    tokens = tokenize(Conversation(TOOLS, [WEATHER]), qwen3, None, "assistant")
    assert list(dict.fromkeys(tokens.roles)) == ["system", "user", "assistant", "tool"]
    assert {role for role, label in zip(tokens.roles, tokens.labels, strict=True) if label != IGNORED} == {"assistant"}
    assert tokenize(Conversation(TOOLS, [WEATHER]), qwen3, None, "assistant", roles=False).roles == []
    plain = tokenize(Conversation([], [], segments=[("2 + 2 =", False), (" 4", True)]), qwen3, None, "assistant")
    assert list(dict.fromkeys(plain.roles)) == ["prompt", "completion"]


def test_a_tokenizer_that_cannot_say_which_characters_a_token_is_is_refused(qwen3):
    class Slow:
        is_fast = False
        special_tokens_map = qwen3.special_tokens_map
        get_chat_template = qwen3.get_chat_template

    with pytest.raises(UserError, match="cannot say which characters a token stands for"):
        tokenize(Conversation(PLAIN, []), Slow(), None, "assistant")


def test_half_a_character_is_refused(qwen3):
    with pytest.raises(RowError, match="has half of a character in its text"):
        tokenize(Conversation([user("\ud83d"), assistant("Ho")], []), qwen3, None, "assistant")


TEXT = st.text(max_size=40).map(str.strip)  # a blank at the border may share a token with the header


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_whatever_is_said_the_answers_are_learned_and_nothing_else(tokenizer_of, talk):
    chat = [turn for asked, said in talk for turn in (user(asked), assistant(said))]
    for name, opening in (("qwen3_instruct_2507", ""), ("qwen2_5", "\n")):
        tokens = tokenize(Conversation(chat, []), tokenizer_of(name), None, "assistant")
        assert "".join(tokens.text[start:end] for start, end in tokens.spans) == tokens.text
        assert words(tokens) == "|".join(f"{opening}{said}<|im_end|>\n" for _, said in talk)
