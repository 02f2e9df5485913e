"""docs/settings.md is made from the schema: nothing is missing in it, and nothing in it is older than the schema."""

from pathlib import Path

import pytest

from dfgui.config import GROUPS, older, sft_config
from dfgui.errors import UserError
from dfgui.fields import Spec, specs
from dfgui.presets import PRESETS
from dfgui.recipe import from_yaml
from dfgui.views import reference

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_in_docs_is_the_page_of_the_schema():
    again = "docs/settings.md is not what the schema says: python -m dfgui settings > docs/settings.md"
    assert DOCS.read_text(encoding="utf-8") == reference.page() + "\n", again


def test_every_name_stands_on_the_page():
    page = reference.page()
    names = [*(spec.path for spec in specs()), *sft_config.EXTRA, *sft_config.OWN, *older.OLDER, *older.GONE]
    assert [name for name in names if f"`{name}`" not in page] == []
    assert [spec.path for spec in specs() if spec.title not in page or spec.help.split("<")[0] not in page] == []
    assert [choice for spec in specs() for choice in spec.choices if f"`{choice}`" not in page] == []
    assert [preset.title for preset in PRESETS.values() if f"### {preset.title}" not in page] == []


def test_sections_come_in_the_order_of_the_form_and_the_contents_lead_to_each():
    lines = reference.page().splitlines()
    titles = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert titles[: len(GROUPS)] == list(GROUPS.values())
    assert [f"- [{title}](#{title.lower().replace(' ', '-')})" for title in titles] == [
        line for line in lines if line.startswith("- [")
    ]


def test_what_the_page_shows_as_a_file_is_one():
    blocks = [part.split("```")[0] for part in reference.page().split("```yaml\n")[1:]]
    assert len(blocks) == 1 + len(PRESETS)
    assert [from_yaml(block).title() for block in blocks][:2] == ["weather-lora", "demo-lora"]


def test_it_can_be_redirected_on_any_terminal():
    assert reference.page().isascii()


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({}, "a number"),
        ({"minimum": 0}, "a number, 0 or more"),
        ({"minimum": 0, "exclusive": ["minimum"]}, "a number, more than 0"),
        ({"minimum": 0.1, "maximum": 2000}, "a number, 0.1 to 2,000"),
        ({"minimum": 0, "maximum": 10, "exclusive": ["minimum"]}, "a number, more than 0, at most 10"),
        ({"minimum": 0, "maximum": 1, "exclusive": ["maximum"]}, "a number, 0 or more, less than 1"),
        ({"maximum": 5}, "a number, at most 5"),
        ({"maximum": 5, "exclusive": ["maximum"]}, "a number, less than 5"),
    ],
)
def test_bounds_are_told_as_they_are_kept(bounds, words):
    spec = Spec(path="a", title="A", help="", group="run", level="basic", kind="number", default=1, **bounds)
    assert f"takes    {words}\n" in reference.one(spec) + "\n"


def test_one_setting_is_told_in_a_few_lines():
    (packing,) = reference.found("training.packing_strategy")
    assert reference.one(packing).splitlines() == [
        "Packing by: training.packing_strategy",
        "",
        packing.help,
        "",
        "default  bfd",
        "takes    bfd, bfd_split, wrapped",
        "matters  where training.packing is true",
    ]
    (rate,) = reference.found("learning_rate")
    assert "default  2.0e-4 (lora), 2.0e-5 (full)\n" in reference.one(rate)
    assert reference.as_json(rate)["defaults"] == {"lora": 2e-4, "full": 2e-5}
    (beta,) = reference.found("adam_beta2")
    assert "extra.adam_beta2\n\nAs SFTConfig takes it: a number." in reference.one(beta)


@pytest.mark.parametrize(
    ("name", "why", "do"),
    [
        ("lerning_rate", "", "Did you mean learning_rate?"),
        ("training.max_step", "", "Did you mean training.max_steps?"),
        ("model.max_steps", "", "Did you mean"),
        ("max_seq_length", "training.max_seq_length is training.max_length here.", "Ask for training.max_length."),
        ("training.bf16", "training.bf16 is training.precision here.", "Ask for training.precision."),
        ("no_cuda", "training.no_cuda is not needed: the hardware decides, or `precision`.", "Leave it out."),
        ("push_to_hub", "push_to_hub is not set by hand: the trainer sends nothing to the Hub", "Leave it out."),
        ("zzzz", "", "See them all: python -m dfgui settings."),
    ],
)
def test_a_name_that_is_no_setting_is_led_to_one(name, why, do):
    with pytest.raises(UserError) as refused:
        reference.found(name)
    assert refused.value.what == f"There is no setting {name}."
    assert why in refused.value.why and refused.value.do.startswith(do)
