"""What is added to dfgui by adding a file is found by its file, in the order that it asks for."""

from dfgui import seams


def test_files_with_an_order_count_and_the_lowest_comes_first(tmp_path):
    (tmp_path / "late.py").write_text("ORDER = 20\n")
    (tmp_path / "early.py").write_text("ORDER = 10\n")
    (tmp_path / "beside.py").write_text("HELPS = True\n")
    assert seams.names(str(tmp_path)) == ["early", "late"]


def test_what_a_file_says_at_its_top_is_read_and_the_file_is_not_run(tmp_path):
    (tmp_path / "one.py").write_text('import not_there\nORDER = 1\nTITLE = "One"\nRATE = 2e-4\nSUM = 1 + 1\n')
    assert seams.said(str(tmp_path)) == {"one": {"ORDER": 1, "TITLE": "One", "RATE": 2e-4}}


def test_formats_and_methods_are_found():
    assert seams.names(seams.FORMATS) == ["messages", "sharegpt", "alpaca", "prompt_completion", "text"]
    assert seams.names(seams.METHODS) == ["lora", "full"]
