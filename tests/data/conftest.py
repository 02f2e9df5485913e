"""Tokenizers small enough to train on the spot, with the special tokens that chat templates ask for."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dfgui import settings

SPECIAL = Path(__file__).with_name("special_tokens.txt").read_text(encoding="utf-8").split()

WORDS = [
    "What is the weather in Oslo today? It is 4 degrees and raining in Oslo.",
    'You may call one or more functions. {"name": "get_weather", "arguments": {"city": "Oslo", "unit": "celsius"}}',
    "user assistant system tool model\n\nthink reasoning content\n function parameters properties type object string",
]

# How each kind of template opens and ends a text.
ENDS = {"llama": ("<|begin_of_text|>", "<|eot_id|>"), "gemma": ("<bos>", "<eos>"), "gptoss": (None, "<|return|>")}


@functools.cache
def _trained() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(WORDS * 4, trainer)
    return tokenizer.to_str()


def make_tokenizer(template: str | None, post_processor: Any = None) -> Any:
    """A byte-level tokenizer with one of TRL's chat templates by name ("qwen3"), a template's text, or none."""
    import trl.chat_template_utils
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    rust = Tokenizer.from_str(_trained())
    if post_processor is not None:
        rust.post_processor = post_processor
    ends = next((ends for start, ends in ENDS.items() if template and template.startswith(start)), (None, "<|im_end|>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=rust, bos_token=ends[0], eos_token=ends[1], pad_token="<pad>")
    if template is not None:
        file = Path(trl.chat_template_utils.__file__).parent / "chat_templates" / f"{template}.jinja"
        tokenizer.chat_template = file.read_text() if "{" not in template else template
    return tokenizer


@pytest.fixture(scope="session")
def tokenizer_of() -> Callable[..., Any]:
    return functools.cache(make_tokenizer)


@pytest.fixture(scope="session")
def qwen3(tokenizer_of: Callable[..., Any]) -> Any:
    return tokenizer_of("qwen3")


@pytest.fixture
def home(tmp_path: Path) -> settings.Settings:
    """Settings of a command line: may read whatever the test wrote."""
    return settings.load(tmp_path / "home", jailed=False)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file into the test's folder: written("rows.jsonl", '{"text": "Hi"}')."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
