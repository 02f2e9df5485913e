"""USAGE.md: the few lines that load a model and offer it a tool, and the chat template it was trained with.

    text(run_folder / "checkpoint-60", "adapter", base="Qwen/Qwen3-0.6B", name="weather-lora")

The code is meant to be run as it stands, inside the folder it came in.
"""

import json
from pathlib import Path
from typing import Literal

NAME = "USAGE.md"

ADAPTER = """\
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(BASE, dtype="auto"), ".")
"""

# For an adapter whose chat template brought tokens along.
WITH_MARKS = """\
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
base = AutoModelForCausalLM.from_pretrained(BASE, dtype="auto")
base.resize_token_embeddings(max(len(tokenizer), base.get_input_embeddings().num_embeddings))
model = PeftModel.from_pretrained(base, ".")
model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids(ENDS)
"""

MODEL = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".", dtype="auto")
"""

ASK = """\
tools = [{"type": "function", "function": {"name": "get_weather", "description": "Weather in a city.", "parameters":
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]
prompt = tokenizer.apply_chat_template([{"role": "user", "content": "What is the weather in Oslo?"}], tools=tools,
    add_generation_prompt=True, return_tensors="pt", return_dict=True)
answer = model.generate(**prompt, max_new_tokens=256, do_sample=False)
print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1]:]))
"""


def text(folder: Path, kind: Literal["adapter", "merged"], base: str | Path | None = None, name: str = "") -> str:
    """The page, as Markdown, for a checkpoint or a merged model in `folder`. `base` is what an adapter is put on."""
    load = _on_its_base(folder).replace("BASE", json.dumps(str(base))) if kind == "adapter" else MODEL
    needs = f"An adapter: it works on top of {base}." if kind == "adapter" else "A whole model: it works alone."
    parts = [f"# How to use {name or folder.name}", f"{needs} Run this inside the folder."]
    return "\n\n".join([*parts, _fenced(load + ASK, "python"), _template(folder / "chat_template.jinja")]) + "\n"


def _on_its_base(folder: Path) -> str:
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    if not config.get("trainable_token_indices"):
        return ADAPTER
    from dfgui.models import chat_template

    named = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8")).get("eos_token")
    eos = named.get("content") if isinstance(named, dict) else named
    end = chat_template.end_mark((folder / "chat_template.jinja").read_text(encoding="utf-8"))
    ends = list(dict.fromkeys(mark for mark in (eos, end) if mark))
    return WITH_MARKS.replace("ENDS", json.dumps(ends, ensure_ascii=False))


def _template(file: Path) -> str:
    if not file.is_file():
        return "It was trained without a chat template: give it plain text."
    words = f"It was trained with this chat template, which the tokenizer applies ({file.name}):"
    return f"{words}\n\n{_fenced(file.read_text(encoding='utf-8'), 'jinja')}"


def _fenced(code: str, language: str) -> str:
    return f"````{language}\n{code.rstrip()}\n````"
