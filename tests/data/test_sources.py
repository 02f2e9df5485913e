"""Rows are read lazily, numbered as a person counts, and what cannot be read is named by its place."""

import gzip
import json

import pytest

from dfgui.config import Data
from dfgui.data import rows
from dfgui.data.sources import Broken, Row, dataset, open_source
from dfgui.errors import UserError
from dfgui.settings import Settings, load
from tests.data.rows import assistant, deepfabric, jsonl, user

ROWS = [{"text": "one"}, {"text": "two"}, {"text": "three"}]
CSV = 'prompt,completion\nHi,Hello\n"2, or 3?","a\nb"\n'


def refusal(path, home: Settings) -> str:
    with pytest.raises(UserError) as caught:
        list(open_source(str(path), home).rows())
    assert caught.value.what and caught.value.why and caught.value.do
    return str(caught.value)


def test_the_demo_is_a_source(home):
    source = open_source("demo", home)
    assert source.count() > 100
    assert source.row(1).raw["messages"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", jsonl(ROWS)),
        ("rows.jsonl", jsonl(ROWS).rstrip("\n")),
        ("rows.jsonl", "\ufeff" + jsonl(ROWS).replace("\n", "\r\n")),
        ("rows.json", json.dumps(ROWS)),
        ("rows.json", json.dumps(ROWS, indent=2)),
        ("rows.json", json.dumps({"version": 1, "data": ROWS}, indent=1)),
        ("rows.json", json.dumps({"data": ROWS})),
        ("rows.txt", "one\ntwo\nthree\n"),
        ("rows.csv", "text\none\ntwo\nthree\n"),
        ("rows.tsv", "\ufefftext\tn\none\t1\ntwo\t2\nthree\t3\n"),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(written, home, name, content):
    source = open_source(str(written(name, content)), home)
    assert [(row.number, row.raw["text"]) for row in source.rows()] == [(1, "one"), (2, "two"), (3, "three")]
    assert source.count() == 3
    assert source.row(2).raw["text"] == "two"
    assert source.head(2)[-1].number == 2


@pytest.mark.parametrize(("name", "content"), [("a.jsonl", json.dumps(ROWS)), ("a.json", jsonl(ROWS))])
def test_a_file_may_hold_the_other_kind_of_json_than_its_name_says(written, home, name, content):
    assert [row.raw for row in open_source(str(written(name, content)), home).rows()] == ROWS


@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl.gz", jsonl(ROWS)), ("a.json.gz", json.dumps(ROWS)), ("a.csv.gz", CSV)]
)
def test_files_may_be_gzipped(written, home, name, content):
    path = written(name, gzip.compress(content.encode()))
    plain = written(name.removesuffix(".gz"), content)
    assert list(open_source(str(path), home).rows()) == list(open_source(str(plain), home).rows())


def test_parquet_is_read_row_group_by_row_group(tmp_path, home):
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([{"text": str(n)} for n in range(1000)]), path, row_group_size=100)
    source = open_source(str(path), home)
    assert source.count() == 1000
    assert source.row(701) == Row(701, {"text": "700"})


def test_a_row_of_jsonl_has_the_number_of_its_line(written, home):
    source = open_source(str(written("a.jsonl", '{"text": "one"}\n\n{"text": "three"}\n')), home)
    assert [row.number for row in source.rows()] == [1, 3]
    assert source.row(3).raw == {"text": "three"}
    assert source.count() == 2


def test_a_line_ends_at_a_newline_and_nowhere_else(written, home):
    """Unicode knows more line breaks; inside a JSON text they are words."""
    row = {"text": "a\u2028b\x85c"}
    assert [row.raw for row in open_source(str(written("a.jsonl", jsonl([row, row]))), home).rows()] == [row, row]


def test_csv_keeps_commas_and_line_breaks_inside_quotes(written, home):
    rows = [row.raw for row in open_source(str(written("a.csv", CSV)), home).rows()]
    assert rows == [{"prompt": "Hi", "completion": "Hello"}, {"prompt": "2, or 3?", "completion": "a\nb"}]


def test_csv_may_be_separated_by_semicolons(written, home):
    source = open_source(str(written("a.csv", "instruction;output\nSay hi, please;Hi\n")), home)
    assert source.row(1).raw == {"instruction": "Say hi, please", "output": "Hi"}


def test_ragged_rows_come_back_exactly_as_they_were_written(written, home):
    rows = [deepfabric("Oslo"), {"messages": [{"role": "user", "content": 1}], "tools": None}, {"extra": {"a": [None]}}]
    assert [row.raw for row in open_source(str(written("a.jsonl", jsonl(rows))), home).rows()] == rows


def test_the_first_rows_are_there_before_the_file_is_read(written, home):
    """Line 3 is broken, and nobody who asks for two rows hears of it."""
    for name, content in [("a.jsonl", '{"n": 1}\n{"n": 2}\nbroken'), ("a.json", '[{"n": 1}, {"n": 2}, broken')]:
        assert [row.raw["n"] for row in open_source(str(written(name, content)), home).head(2)] == [1, 2]


def test_what_is_wrong_among_the_first_rows_is_told_with_them(written, home):
    source = open_source(str(written("a.jsonl", '{"n": 1}\nbroken\n[]\n{"n": 4}\nbroken too')), home)
    head, trouble = source.head_with_trouble(4)
    assert [row.number for row in head] == [1, 4]
    assert isinstance(trouble, Broken) and trouble.error.what == "Line 2 is not JSON."
    assert source.head_with_trouble(1) == (head[:1], None)


def test_a_file_that_breaks_off_among_the_first_rows_tells_so_with_those_before(written, home):
    head, trouble = open_source(str(written("a.json", '[{"n": 1} {"n": 2}]')), home).head_with_trouble(4)
    assert [row.number for row in head] == [1]
    assert isinstance(trouble, UserError) and "a.json is not JSON: line 1" in trouble.what


def test_a_list_longer_than_what_is_read_at_once_is_whole(written, home, monkeypatch):
    from dfgui.data import json_list

    monkeypatch.setattr(json_list, "CHUNK", 7)
    rows = [{"text": "ä\n🦜" * n, "n": -n * 1.5e300, "t": [True, None]} for n in range(30)]
    for indent in (None, 2):
        path = written("a.json", json.dumps(rows, ensure_ascii=False, indent=indent))
        assert [row.raw for row in open_source(str(path), home).rows()] == rows


@pytest.mark.parametrize("number", [0, -1, 4])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_row_beyond_the_end_is_refused_with_the_number_of_rows(written, home, number, name):
    source = open_source(str(written(name, jsonl(ROWS) if name == "a.jsonl" else json.dumps(ROWS))), home)
    with pytest.raises(UserError, match=f"There is no row {number}. {name} has 3 rows."):
        source.row(number)


def test_broken_json_names_its_line(written, home):
    lines = [json.dumps({"text": str(n)}) for n in range(10)]
    lines[6] = '{"text": "seven"'
    assert refusal(written("a.jsonl", "\n".join(lines)), home).startswith("Line 7 is not JSON.")


def test_what_is_wrong_with_a_line_is_said_in_a_sentence(written, home):
    line = '{"text": "a\tb"}'
    assert "In a.jsonl: Invalid control character at column 12." in refusal(written("a.jsonl", line), home)
    assert "There, invalid control character." in refusal(written("a.json", f"[{line}]"), home)


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_broken_json_in_a_list_names_line_and_column(written, home, monkeypatch, chunk):
    from dfgui.data import json_list

    monkeypatch.setattr(json_list, "CHUNK", chunk)
    lines = ["[", *[f' {{"text": "{n}"}},' for n in range(1, 6)], ' {"text": oops},', ' {"text": "7"}', "]"]
    assert "line 7, column 11" in refusal(written("a.json", "\n".join(lines)), home)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", "", "a.jsonl is empty."),
        ("a.jsonl", '{"text": 1}\n[1, 2]\n', "Line 2 is not a row."),
        ("a.json", '[{"text": 1}, 2]', "Row 2 is not an object."),
        ("a.json", '[{"text": 1}', "its ] is missing"),
        ("a.json", '[{"text": 1} {"text": 2}]', "a comma is missing"),
        ("a.json", '{"rows":\n 1}', "is not a list of rows"),
        ("a.json", '{"data": [1]}', "is not a list of rows"),
        ("a.jsonl", "[" * 100_000, "nested too deeply"),
        ("a.jsonl", '{"text": "\xe4"}\n'.encode("latin-1"), "not text in UTF-8 in line 1"),
        ("a.json", '[{"text": "\xe4"}]'.encode("latin-1"), "not text in UTF-8"),
        ("a.jsonl", '{"text": "a"}\n'.encode("utf-16"), "not text in UTF-8"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0", "not text in UTF-8"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "Row 2 has 3 fields, the header 2."),
        ("a.parquet", b"PAR1 this is not", "is not Parquet"),
        ("a.jsonl.gz", b"not gzip at all", "cannot be read"),
        ("a.json.gz", gzip.compress(b'[{"text": "x"}]' * 100, mtime=0)[:-20], "a.json.gz"),
        ("a.docx", "x", "is not a kind of file that dfgui reads"),
        ("noname", "x", "is not a kind of file that dfgui reads"),
        ("a.parquet.gz", "x", "is not a kind of file that dfgui reads"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(written, home, name, content, words):
    assert words in refusal(written(name, content), home)


def test_the_files_of_a_folder_are_joined_by_name_and_counted_on(written, tmp_path, home):
    written("b.csv", "text\nthree\n")
    written("a.jsonl", jsonl(ROWS[:2]))
    written("c.txt.gz", gzip.compress(b"four\nfive\n"))
    for name in ("notes.md", ".hidden.jsonl", "empty.jsonl"):
        written(name, "" if name.startswith("empty") else "{}")
    source = open_source(str(tmp_path), home)
    assert [(row.number, row.raw["text"]) for row in source.rows()] == [
        *((1, "one"), (2, "two"), (3, "three"), (4, "four"), (5, "five"))
    ]
    assert (source.count(), source.row(4).raw["text"], source.name) == (5, "four", tmp_path.name)


def test_datasets_of_several_formats_are_joined(written, home):
    first = written("a.jsonl", jsonl([{"messages": [user("Hi"), assistant("Ho")]}]))
    second = written("b.csv", "instruction,output\nSay 4,4\nSay 5,5\n")
    data = Data(source=str(first), also=f"{second}, demo")
    joined = dataset(data, home)
    assert (joined.name, joined.count(), joined.size()) == ("a.jsonl and 2 more", 603, 603)
    assert [row.format for row in joined.head(3)] == ["messages", "alpaca", "alpaca"]
    how = rows.options(data, rows.format_of(joined, data), None)
    assert how.conversation(joined.row(3)).messages[-1] == assistant("5")
    assert rows.read(joined.row(603), how).trouble is None
    assert rows.format_of(joined, data) == "messages"
    bad = written("c.csv", "x,y\n1,2\n")
    with pytest.raises(UserError, match=r"c\.csv cannot be joined: The columns"):
        list(dataset(Data(source=str(first), also=str(bad)), home).scan())
    named = dataset(Data(source=str(second), also=[str(second)], format="alpaca"), home)
    assert [row.format for row in named.head(9)] == [None] * 4  # all of the one format


def test_a_row_after_a_broken_one_can_be_looked_at(written, home):
    source = open_source(str(written("rows.json", json.dumps([{"text": "one"}, 2, {"text": "three"}]))), home)
    assert source.row(3).raw == {"text": "three"}
    with pytest.raises(UserError, match="Row 2"):
        source.row(2)


def test_a_broken_line_in_a_folder_is_named_with_its_file(written, tmp_path, home):
    written("a.jsonl", jsonl(ROWS))
    written("b.jsonl", jsonl(ROWS[:1]) + "{broken\n" + jsonl(ROWS[2:]))
    scanned = list(open_source(str(tmp_path), home).scan())
    assert [row.number for row in scanned] == [1, 2, 3, 4, 5, 6]
    assert isinstance(scanned[4], Broken) and "In b.jsonl" in scanned[4].error.why


def test_a_link_in_a_folder_leads_no_page_out_of_it(written, tmp_path):
    secret = written("secret.jsonl", jsonl(ROWS))
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "rows.jsonl").symlink_to(secret)
    jailed = Settings(home=tmp_path / "home", allowed=(folder,))
    assert "outside the folders" in refusal(folder, jailed)


def test_a_folder_and_a_missing_file_are_refused(tmp_path, home):
    assert "is a folder without a dataset" in refusal(tmp_path, home)
    assert "does not exist" in refusal(tmp_path / "none.jsonl", home)


def test_a_page_reads_no_file_outside_its_folders(written, tmp_path):
    jailed = load(tmp_path / "home")
    assert "outside the folders" in refusal(written("a.jsonl", "{}"), jailed)
    inside = jailed.uploads / "a.jsonl"
    inside.write_text('{"text": "x"}')
    assert open_source(str(inside), jailed).count() == 1
