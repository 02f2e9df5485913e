"""What a check found, in words."""

from dataclasses import replace

from dfgui.data.report import Finding, Report
from dfgui.data.statistics import lengths
from dfgui.views import findings

REPORT = Report(
    source="rows.jsonl",
    format="messages",
    complete=True,
    rows=1200,
    total=1200,
    trainable_rows=1190,
    left_out={},
    findings=[],
    lengths=lengths([100] * 1200, 1024),
    total_tokens=119_000,
    trained_tokens=29_750,
    turns={2: 1200},
    tools={},
    tool_tokens={"all": 0, "used": 0},
    tools_shown="all",
)
CUT = Finding("cut", "info", "Cut", 7, [3, 17, 20, 31, 44, 50, 51], "Raise max_length.", [], [])


def test_a_report_without_findings_says_so():
    assert findings.lines(REPORT) == [
        "1,200 rows, 1,190 of them train. 25 % of 119,000 tokens are learned.",
        "Tokens per row: half up to 100, at most 100; max_length 128 would keep nearly all rows whole.",
        "Nothing is wrong with these rows.",
    ]


def test_findings_name_their_first_rows_and_the_cure():
    line = findings.lines(replace(REPORT, findings=[CUT]))[-1]
    assert line == "info     Cut: 7 rows (3, 17, 20, 31, 44, ...). Raise max_length."
    assert findings.numbers(1, [3]) == "1 row (3)"


def test_rows_that_were_left_out_are_counted():
    assert "3 left out as you asked" in findings.summary(replace(REPORT, left_out={"cut": 1, "duplicate": 2}))


def test_rows_without_tokens_have_no_lengths():
    assert findings.lengths(replace(REPORT, lengths=lengths([], 1024))) == []


def test_the_size_of_tools_is_told_before_and_after():
    offered = replace(REPORT, tool_tokens={"all": 372_000, "used": 60_000})
    assert findings.tools(offered) == ["Tools take about 310 tokens of a row; 50 if only those it calls were shown."]
    shown = replace(offered, tools_shown="used")
    assert findings.tools(shown) == ["Tools take about 50 tokens of a row; 310 if all were shown."]
    assert findings.tools(REPORT) == []
