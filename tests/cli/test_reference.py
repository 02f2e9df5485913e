"""`dfgui settings` prints the page, or one setting; for scripts, the schema as JSON."""

import json

from dfgui import cli
from dfgui.fields import specs
from dfgui.views import reference


def told(capsys, *arguments):
    code = cli.main(["settings", *arguments])
    return code, capsys.readouterr()


def test_it_prints_the_page(capsys):
    code, printed = told(capsys)
    assert (code, printed.out) == (0, reference.page() + "\n")


def test_the_json_lists_every_setting(capsys):
    listed = json.loads(told(capsys, "--json")[1].out)
    assert [one["path"] for one in listed] == [spec.path for spec in specs()]
    keys = {"path", "title", "help", "group", "level", "kind", "default", "choices", "minimum", "maximum", "when"}
    assert all(keys <= set(one) for one in listed)
    (alone,) = json.loads(told(capsys, "max_length", "--json")[1].out)
    assert alone in listed


def test_an_unknown_name_exits_2(capsys):
    code, printed = told(capsys, "lerning_rate")
    assert (code, printed.out) == (2, "") and "Did you mean learning_rate?" in printed.err
