import json

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from dfgui.artifacts.export import export
from dfgui.errors import UserError


@pytest.mark.parametrize("kind", ["adapter", "merged"])
def test_an_exported_folder_loads_and_is_described(run, tmp_path, kind):
    told = export(run / "checkpoint-20", run / "base", kind, tmp_path / "weather", name="weather")
    folder = tmp_path / "weather"
    assert told["path"] == str(folder)
    assert sorted(told["files"]) == sorted(file.name for file in folder.iterdir())
    assert told["bytes"] == sum(file.stat().st_size for file in folder.iterdir())
    assert "# How to use weather" in (folder / "USAGE.md").read_text()
    AutoModelForCausalLM.from_pretrained(folder)  # an adapter folder loads too: its config names the base
    AutoTokenizer.from_pretrained(folder)


def test_an_adapter_names_its_base_as_it_is_known_today(run, tmp_path):
    export(run / "checkpoint-20", "Qwen/Qwen3-0.6B", "adapter", tmp_path / "weather")
    config = json.loads((tmp_path / "weather" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "Qwen/Qwen3-0.6B"
    assert '"Qwen/Qwen3-0.6B"' in (tmp_path / "weather" / "USAGE.md").read_text()


def test_a_whole_model_has_no_adapter_to_export(run, tmp_path):
    with pytest.raises(UserError, match="Export it as merged"):
        export(run / "checkpoint-40", None, "adapter", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
