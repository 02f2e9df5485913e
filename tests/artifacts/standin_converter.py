"""A stand-in for llama.cpp's converter, where there is none: a script of its name, and a package that reads its file.

checkout = standin(tmp_path)                          # a folder as DFGUI_LLAMA_CPP names one
checkout = standin(tmp_path, "fields['tokenizer.chat_template'] = 'another'")      # it errs
"""

from pathlib import Path

# It takes the arguments of the real one, and writes as JSON what a GGUF file would say.
SCRIPT = """
import argparse, json, math, struct, sys, time
from pathlib import Path
from tqdm import tqdm

asked = argparse.ArgumentParser()
asked.add_argument("model", type=Path)
for name in ("--outfile", "--outtype", "--model-name"):
    asked.add_argument(name)
asked = asked.parse_args()
config = json.loads((asked.model / "config.json").read_text())
tensors = {{}}
for file in asked.model.glob("model*.safetensors"):
    with file.open("rb") as opened:
        header = json.loads(opened.read(struct.unpack("<Q", opened.read(8))[0]))
    tensors |= {{name: math.prod(one["shape"]) for name, one in header.items() if name != "__metadata__"}}
fields = {{
    "general.architecture": "tiny",
    "general.file_type": {{"f16": 1, "q8_0": 7}}[asked.outtype],
    "tiny.block_count": config["num_hidden_layers"],
    "tiny.embedding_length": config["hidden_size"],
    "tokenizer.ggml.tokens": ["token"] * config["vocab_size"],
    "tokenizer.chat_template": (asked.model / "chat_template.jinja").read_text(encoding="utf-8"),
}}
{errs}
bar = tqdm(total=4, unit="byte")
for _ in range(4):
    bar.update(1)
Path(asked.outfile).write_text(json.dumps([fields, tensors]))
"""
PACKAGE = """
import json
from types import SimpleNamespace


class GGUFReader:
    def __init__(self, file):
        self.fields, tensors = json.load(open(file))
        self.tensors = [SimpleNamespace(name=name, n_elements=count) for name, count in tensors.items()]

    def get_field(self, name):
        return SimpleNamespace(contents=lambda: self.fields[name]) if name in self.fields else None
"""


def standin(folder: Path, errs: str = "") -> Path:
    """A checkout of llama.cpp in `folder`; `errs` is a line of its own in the converter, before it writes."""
    checkout = folder / "llama.cpp"
    checkout.mkdir()
    (checkout / "convert_hf_to_gguf.py").write_text(SCRIPT.format(errs=errs), encoding="utf-8")
    (checkout / "gguf.py").write_text(PACKAGE, encoding="utf-8")
    return checkout
