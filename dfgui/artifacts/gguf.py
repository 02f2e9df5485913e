"""A checkpoint as a GGUF file, for llama.cpp, Ollama and LM Studio: made by llama.cpp's own converter, where it is.

    converter = find(Path("llama.cpp"))         # its convert_hf_to_gguf.py, there or on PATH; None where it is not
    export_gguf(checkpoint, base, Path("weather"), "q8_0", converter, "bfloat16", "weather")
    weather/weather-q8_0.gguf Modelfile USAGE.md

The model is merged first; the file is read back and compared with it (converting.py), so that what comes home is whole.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dfgui import child
from dfgui.artifacts import usage
from dfgui.artifacts.folders import new_folder, require_space
from dfgui.errors import UserError

SCRIPT = "convert_hf_to_gguf.py"
TYPES = {"float16": "f16", "q8_0": "q8_0"}  # dtype -> what the converter calls it
BYTES = {"float16": 2.0, "q8_0": 34 / 32}  # of a number: q8_0 has 32 of a byte each, and a 16-bit scale for them
WORDS_BYTES = 40  # of a token: its text, its kind, the merges that lead to it
TO_GET_IT = """\
git clone --depth 1 https://github.com/ggml-org/llama.cpp
pip install gguf sentencepiece protobuf
DFGUI_LLAMA_CPP=llama.cpp python app.py
"""
CANCELLED = UserError("The conversion was cancelled.", "Somebody asked for it.", "Ask for it again when you want.")

Say = Callable[[str], None]


def find(checkout: Path | None) -> Path | None:
    """The converter: in a checkout of llama.cpp, else on PATH."""
    if checkout:
        return checkout / SCRIPT if (checkout / SCRIPT).is_file() else None
    found = shutil.which(SCRIPT)
    return Path(found).resolve() if found else None


def require(checkout: Path | None) -> Path:
    """The converter. Raises UserError where there is none."""
    if found := find(checkout):
        return found
    first, second, _ = TO_GET_IT.splitlines()
    raise UserError(
        "A GGUF file is made by llama.cpp's own converter, and it is not here.",
        f"{SCRIPT} is neither on PATH nor in {checkout or 'the folder that DFGUI_LLAMA_CPP names'}.",
        f"Run `{first}` and `{second}`, and set DFGUI_LLAMA_CPP to that folder.",
    )


def size(numbers: int, tokens: int, dtype: str) -> int:
    """Bytes that the file of a model will have, about."""
    return int(numbers * BYTES[dtype]) + tokens * WORDS_BYTES


def export_gguf(
    checkpoint: Path,
    base: str | Path | None,
    to: Path,
    dtype: str,
    converter: Path,
    held: str,
    name: str,
    progress: Say | None = None,
    going: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Writes the folder `to`: {path, bytes, files}. Raises UserError, and then leaves nothing behind.

    `dtype`: float16 or q8_0; `held`: the dtype in which the run held its weights; `going`: it ends once that is False.
    """
    from dfgui.artifacts import export

    say = progress or (lambda words: None)
    with new_folder(to) as part:
        merged = part / "merged"
        export.export(checkpoint, base, "merged", merged, held, name, say, going)
        require_space(to, sum(file.stat().st_size for file in merged.glob("*.safetensors")))
        file = part / f"{name}-{dtype}.gguf"
        asked = {"converter": str(converter), "merged": str(merged), "file": str(file), "dtype": dtype}
        _convert(asked, say, going or (lambda: True))
        (part / "Modelfile").write_text(modelfile(file.name, end_of_turn(merged)), encoding="utf-8")
        (part / usage.NAME).write_text(how_to_use(file.name, name), encoding="utf-8")
        shutil.rmtree(merged)
    files = sorted(to.iterdir())
    return {"path": str(to), "bytes": sum(one.stat().st_size for one in files), "files": [one.name for one in files]}


def _convert(asked: dict[str, Any], say: Say, going: Callable[[], bool]) -> None:
    alone = {"HF_HUB_OFFLINE": "1"}  # whatever it looks for is in the folder, or it is not to be had
    child.run(
        "dfgui.artifacts.converting", asked, say, going, CANCELLED, "The conversion", without=child.TOKENS, more=alone
    )


def modelfile(file: str, end: str) -> str:
    """What `ollama create` reads. The chat template is inside the file, letter for letter as it was trained with."""
    stop = f"PARAMETER stop {json.dumps(end, ensure_ascii=False)}\n" if end else ""
    return f"FROM ./{file}\n{stop}"


def end_of_turn(merged: Path) -> str:
    """The mark that ends an answer: by the chat template, else the tokenizer's own; "" where there is none."""
    from dfgui.models import chat_template

    template = merged / "chat_template.jinja"
    if template.is_file() and (mark := chat_template.end_mark(template.read_text(encoding="utf-8"))):
        return mark
    eos = json.loads((merged / "tokenizer_config.json").read_text(encoding="utf-8")).get("eos_token")
    return (eos.get("content") if isinstance(eos, dict) else eos) or ""


def how_to_use(file: str, name: str) -> str:
    return f"""# How to use {name}

With Ollama, inside this folder:

    ollama create {name.lower()} -f Modelfile
    ollama run {name.lower()}

With llama.cpp, which applies the chat template inside the file, tools included:

    llama-server -m {file} --jinja
"""
