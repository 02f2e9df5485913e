"""The demo's own byte-level BPE: letters, digits and punctuation never share a token, and a space never joins a word.

    "in Oslo"  -> in | space | Oslo          {"city": "Oslo"}  -> {" | city | ": " | Oslo | "}

So a value has the same tokens in a question and in the JSON that copies it, which is what so small a model needs. What
every prompt repeats (the template's sentences about tools, the frame of a function schema) is one token each, which
nearly halves a row.
The special tokens and the chat template are those of Qwen3, the template being the one that TRL ships.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import trl
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from dfgui.models.demo.corpus import conversation
from dfgui.models.demo.render import FOOTER, HEADER, pieces
from dfgui.models.demo.words import EVERYDAY

VOCABULARY = 2560
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKERS = (
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
)  # decoded as text
FRAMES = (
    HEADER,
    FOOTER,
    '\n{"type": "function", "function": {"name": "',
    '", "description": "',
    '", "parameters": {"type": "object", "properties": {"',
    *(f'": {{"type": "{type_}", "description": "' for type_ in ("string", "integer", "number", "boolean", "array")),
    *(f'": {{"type": "{type_}"' for type_ in ("string", "integer", "number", "boolean", "array")),
    '", "enum": ["',
    '}, "required": ["',
)
WORDS = Regex(r"\p{L}+|\p{N}|\n+|[^\p{L}\p{N}\n]+")
TEMPLATE = Path(trl.__file__).parent / "chat_templates" / "qwen3.jinja"


def trained(seed: int, conversations: int = 12_000) -> PreTrainedTokenizerFast:
    """A tokenizer trained on that many fresh conversations."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(WORDS, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL) - len(MARKERS) - len(FRAMES),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=24,
        show_progress=False,
    )
    bpe.train_from_iterator(_texts(seed, conversations), trainer)
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    bpe.add_tokens([AddedToken(token, special=False, normalized=False) for token in MARKERS + FRAMES])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = TEMPLATE.read_text(encoding="utf-8")
    return tokenizer


def _texts(seed: int, conversations: int) -> Iterator[str]:
    rng = Random(seed)
    yield from (f"{word} {word} {word.capitalize()}" for word in EVERYDAY for _ in range(conversations // 600))
    for _ in range(conversations):
        for text, _learned in pieces(conversation(rng)):
            for token in sorted(SPECIAL + MARKERS + FRAMES, key=len, reverse=True):
                text = text.replace(token, "\n")
            yield text
