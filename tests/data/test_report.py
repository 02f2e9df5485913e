"""Every row is looked at before a GPU hour is spent, and what is wrong is named by row, with its cure."""

import gzip
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import psutil
import pytest

from dfgui.config import LEAVABLE, Data
from dfgui.data import report as reports
from dfgui.data.checks import CHECKS
from dfgui.data.prepare import prepare
from dfgui.data.probe import with_tools_in_words
from dfgui.data.report import Report, check
from dfgui.data.rows import Options
from dfgui.data.tokens import IGNORED
from dfgui.errors import UserError
from tests.data.broken import BROKEN, FINE, LONG, messages
from tests.data.conftest import make_tokenizer
from tests.data.rows import NEWS, SHARED, WEATHER, answered, assistant, calls, deepfabric, jsonl, user

ROOT = Path(__file__).parents[2]
MAX_LENGTH = 1200
CASES = [(check, format, row) for check, formats in BROKEN.items() for format, row in formats.items()]


@pytest.fixture
def checked(written, home) -> Callable[..., Report]:
    def run(rows: list[dict] | str, max_length: int = MAX_LENGTH, template: str = "qwen3", processes=1, **options):
        path = written("rows.jsonl", rows if isinstance(rows, str) else jsonl(rows))
        data = Data(source=str(path), **options)
        return list(check(data, partial(make_tokenizer, template), max_length, home, processes))[-1]

    return run


def found(report: Report) -> dict[str, list[int]]:
    return {finding.check: finding.rows for finding in report.findings}


def fine(format: str, number: int) -> dict:
    """A row with nothing wrong, unlike every other."""
    return json.loads(json.dumps(FINE[format]).replace("Oslo", f"Oslo {number}").replace("Ho", f"Ho {number}")) | (
        {"text": f"Once {number}"} if format == "text" else {}
    )


@pytest.mark.parametrize("format", FINE)
def test_rows_with_nothing_wrong_have_no_findings(checked, format):
    report = checked([fine(format, number) for number in range(5)])
    assert (report.findings, report.rows, report.trainable_rows) == ([], 5, 5)
    assert report.complete and report.format == format


@pytest.mark.parametrize(("name", "format", "row"), CASES, ids=[f"{check}-{format}" for check, format, _ in CASES])
def test_a_finding_names_its_row_and_says_what_to_do(checked, name, format, row):
    rows = [fine(format, number) for number in range(4)]
    rows.insert(2, row)
    report = checked(rows)
    finding = next(one for one in report.findings if one.check == name)
    assert (finding.rows, finding.count, finding.severity) == ([3], 1, CHECKS[name].severity)
    assert finding.advice == CHECKS[name].advice
    assert finding.examples[0].startswith("row 3: ")


@pytest.mark.parametrize(("name", "format", "row"), CASES, ids=[f"{check}-{format}" for check, format, _ in CASES])
def test_a_row_that_is_left_out_is_no_finding_and_is_not_trained_on(checked, written, home, qwen3, name, format, row):
    rows = [fine(format, number) for number in range(4)]
    rows.insert(2, row)
    leave_out = sorted(found(checked(rows)))
    report = checked(rows, leave_out=leave_out)
    assert report.findings == []
    assert (sum(report.left_out.values()), report.trainable_rows) == (1, 4)
    data = Data(source=str(written("rows.jsonl", jsonl(rows))), leave_out=leave_out, eval_fraction=0)
    prepared = prepare(data, qwen3, MAX_LENGTH, 42, home)
    assert (len(prepared.train), [number for number, _ in prepared.left_out]) == (4, [3])


@pytest.mark.parametrize(("name", "format", "row"), CASES, ids=[f"{check}-{format}" for check, format, _ in CASES])
def test_an_error_and_nothing_else_stops_the_preparation(checked, written, home, qwen3, name, format, row):
    rows = [fine(format, number) for number in range(4)]
    rows.insert(2, row)
    report = checked(rows)
    data = Data(source=str(written("rows.jsonl", jsonl(rows))), eval_fraction=0)
    if report.errors:
        with pytest.raises(UserError, match="Row 3"):
            prepare(data, qwen3, MAX_LENGTH, 42, home)
    else:
        prepared = prepare(data, qwen3, MAX_LENGTH, 42, home)
        assert len(prepared.train) == report.trainable_rows
        assert prepared.total_tokens == report.total_tokens
        assert prepared.trained_tokens == report.trained_tokens
        assert {check: len(rows) for check, rows in found(report).items()} == prepared.found


def test_broken_lines_are_named_and_the_others_are_looked_at(checked):
    lines = jsonl([fine("messages", number) for number in range(4)]).splitlines()
    lines[1], lines[3] = '{"messages": [', "[1, 2]"
    report = checked("\n".join(lines))
    assert found(report) == {"unreadable": [2, 4]}
    assert (report.rows, report.trainable_rows) == (4, 2)
    assert "Line 2 is not JSON." in report.findings[0].examples[0]
    assert checked("\n".join(lines), leave_out=["unreadable"]).findings == []


def test_broken_lines_can_be_left_out_of_the_training(written, home, qwen3):
    lines = jsonl([fine("messages", number) for number in range(4)]).splitlines()
    lines[1] = '{"messages": ['
    data = Data(source=str(written("rows.jsonl", "\n".join(lines))), eval_fraction=0)
    with pytest.raises(UserError, match="Line 2 is not JSON"):
        prepare(data, qwen3, MAX_LENGTH, 42, home)
    data.leave_out = ["unreadable"]
    assert len(prepare(data, qwen3, MAX_LENGTH, 42, home).train) == 3


@pytest.mark.parametrize("content", ['[{"text": "a"}, {"text": "b"}, {"te', '[{"text": "a"} {"text": "b"}]'])
def test_a_file_that_breaks_off_is_an_error_after_the_rows_before_it(written, home, content):
    data = Data(source=str(written("rows.json", content)))
    report = list(check(data, partial(make_tokenizer, "qwen3"), MAX_LENGTH, home))[-1]
    finding = report.errors[0]
    assert (finding.check, finding.cures) == ("broken_file", [])
    assert f"after row {report.rows}: rows.json is not JSON: line 1" in finding.examples[0]


def test_a_gzip_that_is_cut_short_is_an_error(written, home):
    whole = gzip.compress(jsonl([{"text": f"{number} {Random(number).random()}"} for number in range(5000)]).encode())
    data = Data(source=str(written("rows.jsonl.gz", whole[: len(whole) // 2])))
    report = list(check(data, partial(make_tokenizer, "qwen3"), MAX_LENGTH, home, 1))[-1]
    assert [finding.check for finding in report.errors] == ["broken_file"]
    assert "rows.jsonl.gz cannot be read" in report.errors[0].examples[0]
    assert 0 < report.trainable_rows == report.rows < 5000


def test_duplicates_name_the_row_that_they_repeat(checked):
    rows = [fine("messages", number) for number in (1, 2, 1, 3, 1)]
    report = checked(rows)
    assert found(report) == {"duplicate": [3, 5]}
    assert report.findings[0].examples == [f"row {n}: it is the same as row 1" for n in (3, 5)]
    assert checked(rows, leave_out=["duplicate"]).left_out == {"duplicate": 2}


def test_rows_that_are_evaluated_on_as_well_are_named_and_can_be_left_out(checked, written, home, qwen3):
    rows = [fine("messages", number) for number in range(5)]
    other = written("eval.jsonl", jsonl([rows[2], rows[4], fine("messages", 9)]))
    assert found(checked(rows, eval_source=str(other))) == {"in_evaluation": [3, 5]}
    data = Data(source=str(written("rows.jsonl", jsonl(rows))), eval_source=str(other), leave_out=["in_evaluation"])
    prepared = prepare(data, qwen3, MAX_LENGTH, 42, home)
    assert (len(prepared.train), len(prepared.eval)) == (3, 3)


@pytest.mark.parametrize("template", ["gemma", "gptoss"])
def test_a_template_that_cannot_carry_a_row_says_why(checked, template):
    twice = messages(
        user("Hi"), calls({"city": "Oslo"}, {"city": "Rome"}), answered("4"), answered("5"), assistant("Ho")
    )
    rows = [{"messages": [user(f"Hi {n}"), assistant("Ho")]} for n in range(3)]
    report = checked([*rows, twice], template=template, max_length=4000)
    assert found(report)["not_rendered"] == [4]


def test_a_template_whose_marks_hold_nothing_leaves_nothing_to_learn(checked):
    marks = "{% if m.role == 'assistant' %}{% generation %}{% endgeneration %}{% endif %}"
    template = "{% for m in messages %}{{ m.content }}" + marks + "{% endfor %}"
    report = checked([{"messages": [user("Hi"), assistant("Ho")]}], template=template)
    assert found(report) == {"nothing_learned": [1]}


@pytest.mark.parametrize(
    ("template", "check"),
    [
        ("llama3_1", "words_dropped"),
        ("gptoss", "words_dropped"),
        ("qwen2_5", "reasoning_dropped"),
        ("gemma3", "tools_not_shown"),
    ],
)
def test_what_a_template_drops_is_a_finding(checked, template, check):
    rows = {
        "words_dropped": messages(
            user("Hi"), calls({"city": "Oslo"}, text="Let me look."), answered("4"), assistant("Ho")
        ),
        "reasoning_dropped": {"messages": [user("Hi"), assistant("Ho", reasoning_content="Hm.")]},
        "tools_not_shown": messages(user("Hi"), assistant("Ho")),
    }
    report = checked([{"messages": [user("Hi?"), assistant("Ho")]}, rows[check]], template=template, max_length=4000)
    assert found(report) == {check: [2]}
    assert report.trainable_rows == 2
    assert checked([rows[check]], max_length=4000).findings == []  # Qwen3's carries all of it


def test_answers_that_are_asked_in_another_form_are_told_and_cured(checked):
    talk = {"messages": [user("Hi"), assistant("Ho"), user("Hi?"), assistant("Ho.")]}
    report = checked([talk, {"messages": talk["messages"][:2]}])
    assert found(report) == {"asked_differently": [1]}
    assert [(cure.setting, cure.value) for cure in report.findings[0].cures] == [
        ("model.saved_template", "training"),
        ("data.train_on", "last_assistant"),
    ]
    assert checked([talk], train_on="last_assistant").findings == []
    assert checked([talk], template="qwen3_training").findings == []
    assert checked([talk], template="qwen2_5").findings == []


@pytest.mark.parametrize(
    ("template", "finding", "also"),
    [("gemma3", "not_rendered", True), ("gptoss", "words_dropped", False), ("deepseekv3", "tools_not_shown", False)],
)
def test_a_template_that_loses_tools_is_cured_by_tools_in_words(checked, template, finding, also):
    talk = [user("Hi"), {**calls({"city": 'Os"lo'}), "content": "Let me look."}, answered("4"), assistant("Cold.")]
    rows = [messages(*talk, tools=[WEATHER])]
    report = checked(rows, template=template, max_length=4000)
    cures = {cure.setting: cure.value for one in report.findings if one.check == finding for cure in one.cures}
    assert cures.get("model.tools_in") == "system"
    assert ("model.chat_template" in cures) == also
    in_words = with_tools_in_words(make_tokenizer(template).chat_template)
    assert finding not in found(checked(rows, template=in_words, max_length=4000))
    assert checked(rows, template="qwen3_instruct_2507", max_length=4000).findings == []


def test_answers_that_are_asked_with_another_beginning_are_told(checked):
    hasty = {"messages": [user("Hi"), assistant("Ho")]}
    report = checked(
        [hasty, {"messages": [user("Hi?"), assistant("Ho", reasoning_content="Hm.")]}], template="nemotron_3_nano"
    )
    assert found(report) == {"opened_differently": [1]}
    assert "<think></think>" in report.findings[0].examples[0]
    assert checked([hasty], template="nemotron_3_nano", train_on="everything").findings == []
    assert checked([hasty], template="qwen3_5_think").findings == []  # an empty thought, which goes on from <think>


def test_an_answer_whose_end_is_not_learned_is_told(checked):
    """GLM ends a turn with the mark that opens the next, so the last of a row has no end."""
    talk = [user("Hi"), assistant("Ho")]
    rows = [{"messages": talk}, {"messages": [*talk, user("Hi?"), assistant("Ho.")]}]
    assert found(checked(rows, template="glm4moe")) == {"no_end": [1]}
    assert found(checked(rows, template="glm4moe", train_on="last_assistant")) == {"no_end": [1, 2]}
    edited = "{# ours #}" + make_tokenizer("glm4moe").chat_template
    assert found(checked(rows, template=edited)) == {"no_end": [1, 2]}
    assert "no_end" not in found(checked(rows, template="qwen3"))


@pytest.mark.parametrize("format", ["messages", "sharegpt", "alpaca", "prompt_completion"])
@pytest.mark.parametrize(("template", "check"), [("glm4moe", "no_end"), ("nemotron_3_nano", "opened_differently")])
def test_what_a_template_does_is_found_in_every_format_of_conversations(checked, format, template, check):
    rows = (
        [FINE[format]] if format != "prompt_completion" else [{"prompt": [user("Hi")], "completion": [assistant("Ho")]}]
    )
    finding = next(one for one in checked(rows, template=template, max_length=4000).findings if one.check == check)
    assert (finding.rows, finding.advice) == ([1], CHECKS[check].advice)
    assert finding.examples[0].startswith("row 1: ")


def test_a_careless_template_refuses_what_it_would_garble(checked):
    rows = [messages(user("Hi"), calls({"city": city})) for city in ("Oslo", "L'Aquila", 'a "b"')]
    report = checked(rows, template="lfm2_2_5", max_length=4000)
    assert found(report) == {"not_rendered": [2]}
    assert "would garble" in report.findings[0].examples[0]


def test_a_row_that_begins_with_its_only_answer_has_no_question(checked):
    report = checked([{"messages": [assistant("Ho")]}], train_on="last_assistant")
    assert found(report) == {"no_question": [1], "role_order": [1]}


def test_only_what_would_be_trained_is_counted(checked, qwen3, written, home):
    rows = [fine("messages", number) for number in range(30)] + [messages(user("Hi"), assistant(LONG))]
    report = checked(rows)
    data = Data(source=str(written("rows.jsonl", jsonl(rows))), eval_fraction=0)
    train = prepare(data, qwen3, MAX_LENGTH, 42, home).train
    assert report.total_tokens == sum(map(len, train["input_ids"]))
    assert report.trained_tokens == sum(label != IGNORED for labels in train["labels"] for label in labels)
    assert report.trained_token_share == report.trained_tokens / report.total_tokens
    assert report.turns == {2: 1, 4: 30}
    assert report.tools == {"get_news": [30, 0], "get_weather": [31, 30]}
    one, other = (len(qwen3(json.dumps(tool))["input_ids"]) for tool in (WEATHER, NEWS))
    assert report.tool_tokens == {"all": 31 * one + 30 * other, "used": 31 * one}


def test_cures_set_what_takes_the_finding_away(checked):
    rows = [deepfabric(f"City {n}") | {"tools": [WEATHER, NEWS]} for n in range(3)]
    rows += [messages(user("Hi"), assistant(LONG), tools=[]), {"messages": [user("Hi")]}]
    report = checked(rows)
    cures = {finding.check: {cure.setting: cure.value for cure in finding.cures} for finding in report.findings}
    assert cures["no_answer"] == {"data.leave_out": ["no_answer"]}
    wanted = cures["answer_cut"]["training.max_length"]
    assert wanted == report.lengths["recommended_max_length"] > report.lengths["max"]
    assert cures["answer_cut"]["data.tools"] == "used"
    assert found(checked(rows, max_length=wanted)) == {"no_answer": [5], "role_order": [5]}
    assert found(checked(rows, leave_out=["no_answer"], max_length=wanted)) == {}


def test_several_processes_find_what_one_finds(checked, monkeypatch):
    monkeypatch.setattr(reports, "ALONE", 0)
    rows = [fine("messages", number % 190) for number in range(200)]
    rows[150] = {"messages": [user("Hi")]}
    alone = checked(rows, processes=1)
    assert found(alone) == {"no_answer": [151], "role_order": [151], "duplicate": list(range(191, 201))}
    assert checked(rows, processes=2) == alone


@pytest.mark.skipif(not hasattr(os, "nice"), reason="there is no niceness here")
def test_other_processes_let_a_training_go_first():
    with reports._workers(partial(make_tokenizer, "qwen3"), Options("messages", MAX_LENGTH), 1) as pool:
        assert pool().submit(os.nice, 0).result(60) == min(os.nice(0) + reports.NICE, 19)


CHECKING = """
import sys
from functools import partial
from pathlib import Path
from dfgui import settings
from dfgui.config import Data
from dfgui.data import report
from tests.data.conftest import make_tokenizer

report.ALONE = report.EVERY = 0
home = settings.load(Path(sys.argv[1]).parent / "home", jailed=False)
for so_far in report.check(Data(source=sys.argv[1]), partial(make_tokenizer, "qwen3"), 1200, home, 2):
    print(so_far.rows, so_far.complete, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing is killed like that here")
def test_a_check_that_is_killed_leaves_no_process_behind(written):
    path = written("rows.jsonl", jsonl([fine("messages", number) for number in range(20_000)]))
    command = [sys.executable, "-c", CHECKING, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as checking:
        helpers = []
        try:
            assert select.select([checking.stdout], [], [], 60)[0], "nothing was looked at within a minute"
            assert checking.stdout.readline() == f"{reports.AT_ONCE} False\n"
            helpers = psutil.Process(checking.pid).children(recursive=True)
            assert len(helpers) >= 2
            checking.kill()
            assert checking.wait(10) == -signal.SIGKILL
            assert left_of(helpers, seconds=15) == []
        finally:
            for process in [checking, *left_of(helpers, seconds=0)]:
                process.kill()


def left_of(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run after so many seconds at most."""
    end = time.monotonic() + seconds
    while (running := [process for process in processes if runs(process)]) and time.monotonic() < end:
        time.sleep(0.05)
    return running


def runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_progress_comes_before_the_end_and_closing_ends_the_work(written, home, monkeypatch):
    monkeypatch.setattr(reports, "EVERY", 0)
    path = written("rows.jsonl", jsonl([fine("messages", number) for number in range(200)]))
    going = check(Data(source=str(path)), partial(make_tokenizer, "qwen3"), MAX_LENGTH, home, 1)
    first = next(going)
    assert (first.complete, first.rows, first.total) == (False, reports.AT_ONCE, 200)
    going.close()
    assert list(going) == []


def test_how_rows_pack_is_worked_out_once_all_are_known(written, home, monkeypatch):
    monkeypatch.setattr(reports, "EVERY", 0)
    data = Data(source=str(written("rows.jsonl", jsonl([fine("messages", number) for number in range(100)]))))
    *before, last = check(data, partial(make_tokenizer, "qwen3"), MAX_LENGTH, home, 1)
    assert {report.lengths["packed_sequences"] for report in before} == {None}
    assert 0 < last.lengths["packed_sequences"] < 100


def test_reports_that_take_long_to_make_are_made_seldom(written, home, monkeypatch):
    slow = reports.statistics.lengths
    monkeypatch.setattr(reports.statistics, "lengths", lambda *counts: time.sleep(0.5) or slow(*counts))
    monkeypatch.setattr(reports, "EVERY", 0)
    data = Data(source=str(written("rows.jsonl", jsonl([fine("messages", number) for number in range(300)]))))
    assert len(list(check(data, partial(make_tokenizer, "qwen3"), MAX_LENGTH, home, 1))) == 2


def test_every_check_but_a_broken_file_can_be_left_out():
    assert set(LEAVABLE) == set(CHECKS) - {"broken_file"}


def test_to_leave_rows_out_is_offered_wherever_it_can_be_done_and_is_called_for():
    offered = {name for name, kind in CHECKS.items() if "leave_out" in kind.cures}
    assert offered == {name for name in LEAVABLE if CHECKS[name].severity != "info"}


def test_what_max_length_cuts_is_cured_by_raising_it():
    assert {name for name, kind in CHECKS.items() if kind.is_about_max_length} == {"answer_lost", "answer_cut", "cut"}


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("glaive_toolcall_en_demo", {"asked_differently": 225, "arguments": 1, "duplicate": 35}),
        ("alpaca_en_demo", {"duplicate": 14}),
    ],
)
def test_real_rows_are_summed_up(tokenizer_of, home, name, summary):
    path = SHARED / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout")
    report = list(check(Data(source=str(path)), partial(make_tokenizer, "qwen3"), 100_000, home, 2))[-1]
    assert {finding.check: finding.count for finding in report.findings} == summary
