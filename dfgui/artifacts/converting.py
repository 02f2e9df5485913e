"""A merged model becomes a GGUF file in a process of its own: llama.cpp's converter runs, then its file is read back.

It is asked {"converter", "merged", "file", "dtype"} and says how much is written. A file is good when it has the
layers, the width, every number, the tokens and the chat template of the model that it was made from.
"""

import json
import logging
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

from dfgui import child, words
from dfgui.artifacts import folders, gguf
from dfgui.child import Say
from dfgui.errors import UserError
from dfgui.models import headers

FILE_TYPES = {"float16": 1, "q8_0": 7}  # general.file_type: MOSTLY_F16, MOSTLY_Q8_0
MADE_ANEW = ("rope_freqs", "rope_factors")  # tensors of a GGUF that hold settings and not weights
NOT_WEIGHTS = (".inv_freq", ".attn.bias", ".masked_bias")  # of a model that hold constants, which nobody converts


def _work(asked: dict[str, Any], say: Say) -> dict[str, Any]:
    merged, file = Path(asked["merged"]), Path(asked["file"])
    say("converting")
    forget_code(merged)
    errors: list[str] = []
    try:
        with _told(say, errors):
            _convert(Path(asked["converter"]), merged, file, gguf.TYPES[asked["dtype"]])
    except (Exception, SystemExit) as error:
        raise refusal(error, errors, file) from error
    say("reading it back")
    prove(read(file), expected(merged, asked["dtype"]))
    return {}


def forget_code(merged: Path) -> None:
    """Takes out of a model's files where code of its own lies: the converter would run it, and dfgui never does."""
    for file in (merged / "config.json", merged / "tokenizer_config.json"):
        if file.is_file() and (config := json.loads(file.read_text(encoding="utf-8"))).pop("auto_map", None):
            file.write_text(json.dumps(config, indent=2), encoding="utf-8")


def _convert(converter: Path, merged: Path, file: Path, kind: str) -> None:
    """Runs the converter as `python convert_hf_to_gguf.py MERGED --outfile FILE --outtype KIND` would."""
    sys.argv = [str(converter), str(merged), "--outfile", str(file), "--outtype", kind, "--model-name", file.stem]
    sys.path.insert(0, str(converter.parent))
    runpy.run_path(str(converter), run_name="__main__")


@contextmanager
def _told(say: Say, errors: list[str]) -> Iterator[None]:
    """Says how much is written, by the converter's own progress bar; keeps the errors that it logs."""
    from tqdm import tqdm

    before, keeper = tqdm.update, logging.Handler(logging.ERROR)
    told = [-1]

    def update(bar: Any, count: float | None = 1) -> Any:
        moved = before(bar, count)
        percent = int(100 * bar.n / bar.total) if bar.total and bar.unit == "byte" else -1
        if percent > told[0]:
            told[0] = percent
            say(f"writing {words.size(int(bar.n))} of {words.size(int(bar.total))}")
        return moved

    keeper.emit = lambda record: errors.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(keeper)
    logging.getLogger().addHandler(logging.StreamHandler())  # the converter's own would come only where there is none
    tqdm.update = update
    try:
        yield
    finally:
        tqdm.update = before
        logging.getLogger().removeHandler(keeper)


def refusal(error: BaseException, errors: list[str], file: Path) -> UserError:
    """Why the converter did not take the model, in words."""
    if folders.is_disk_full(error):
        return folders.disk_full(file.parent)
    if isinstance(error, ModuleNotFoundError):
        return UserError(
            f"The converter needs {error.name}, which is not installed.",
            "It is a package that llama.cpp's converter reads tokenizers with.",
            f"Run `pip install {error.name}`, and try again.",
        )
    if "pre-tokenizer was not recognized" in str(error):
        return UserError(
            "llama.cpp does not know the tokenizer of this model.",
            "It would cut text into other tokens than those that the model has learned.",
            "Take the merged model; or train a model of the Hub whose tokenizer llama.cpp knows, such as Qwen3.",
        )
    said = errors[-1] if errors else str(error).strip() or type(error).__name__
    return UserError(
        "llama.cpp's converter did not take this model.",
        said.splitlines()[0][:300],
        "Take the merged model, or try again with a newer llama.cpp.",
    )


def read(file: Path) -> dict[str, Any]:
    """What a GGUF file says of itself, and how many numbers its tensors hold."""
    from gguf import GGUFReader  # of the converter, or of PyPI

    reader = GGUFReader(str(file))
    kind = _field(reader, "general.architecture")
    tensors = [one for one in reader.tensors if not one.name.startswith(MADE_ANEW)]
    return {
        "kind of file": _field(reader, "general.file_type"),
        "layers": _field(reader, f"{kind}.block_count"),
        "width": _field(reader, f"{kind}.embedding_length"),
        "numbers": sum(int(one.n_elements) for one in tensors),
        "tokens": len(_field(reader, "tokenizer.ggml.tokens") or []),
        "chat template": _field(reader, "tokenizer.chat_template"),
    }


def _field(reader: Any, name: str) -> Any:
    found = reader.get_field(name)
    return found.contents() if found else None


def expected(merged: Path, dtype: str) -> dict[str, Any]:
    """The same of the model that it is made from."""
    from transformers import AutoConfig

    config: Any = AutoConfig.from_pretrained(merged, trust_remote_code=False).get_text_config()
    weights = {name: one for file in headers.files(merged) for name, one in (headers.tensors(file) or {}).items()}
    template = merged / "chat_template.jinja"
    return {
        "kind of file": FILE_TYPES[dtype],
        "layers": config.num_hidden_layers,
        "width": config.hidden_size,
        "numbers": sum(prod(one["shape"]) for name, one in weights.items() if not name.endswith(NOT_WEIGHTS)),
        "tokens": config.vocab_size,
        "chat template": template.read_text(encoding="utf-8") if template.is_file() else None,
    }


def prove(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raises UserError where the file is not the model."""
    for what, value in wanted.items():
        if found[what] != value:
            shown = f": {found[what]} and not {value}" if isinstance(value, int) else ""
            raise UserError(
                "The GGUF file is not the model that it was made from, and was thrown away.",
                f"Its {what} differ{'' if what.endswith('s') else 's'}{shown}.",
                "Take the merged model, or try again with a newer llama.cpp.",
            )


if __name__ == "__main__":
    child.serve(_work)
