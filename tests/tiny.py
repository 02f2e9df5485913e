"""A tokenizer and models small enough to be made in a test.

    tokenizer = tiny_tokenizer()            # qwen3's special tokens and chat template
    model = tiny_model(tokenizer)           # two layers, random weights, the same each time; seed=1 for others
    adapted = tiny_adapter(model)           # LoRA that really differs from its base
    folder = tiny_folder(tmp_path)          # both saved, as a model lies on a disk

They answer nonsense, but always the same nonsense.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MARKS = ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>"]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        },
    },
}

TEXT = [
    'What is the weather in Oslo? {"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}}',
    "You are provided with function signatures within XML tags. For each function call, return a json object.",
    '{"type": "function", "function": {"description": "Weather in a city.", "parameters": {"type": "object"}}}',
    "# Tools You may call one or more functions to assist with the user query.",
    "system user assistant tool: it is four degrees and raining, so take a coat with you.",
]


def tiny_tokenizer(template: str = "qwen3") -> Any:
    """A byte-level BPE of about 500 tokens with one of TRL's chat templates."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_trained(),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = trl_template(template)
    return tokenizer


def trl_template(name: str) -> str:
    """The text of one of the chat templates that TRL ships."""
    import trl

    return (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


def tiny_model(tokenizer: Any, seed: int = 0, **config: Any) -> Any:
    """A Qwen3 with two layers of 32 and tied embeddings in float32; `config` overrides its shape."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": True,
        "initializer_range": 0.2,  # wide enough that greedy answers differ from prompt to prompt
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    torch.manual_seed(seed)
    return Qwen3ForCausalLM(Qwen3Config(**{**shape, **config})).eval()


def tiny_folder(folder: Path, **config: Any) -> Path:
    """`folder` with a tiny model and its tokenizer in it."""
    tokenizer = tiny_tokenizer()
    tokenizer.save_pretrained(folder)
    tiny_model(tokenizer, **config).save_pretrained(folder)
    return folder


def tiny_adapter(model: Any, seed: int = 0, std: float = 0.05, **lora: Any) -> Any:
    """`model` with a LoRA adapter whose B is random and so changes its answers."""
    import torch
    from peft import LoraConfig, get_peft_model

    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
    torch.manual_seed(seed)
    adapted = get_peft_model(model, LoraConfig(**{**settings, **lora}))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=std)
    return adapted.eval()


@lru_cache(maxsize=1)
def _trained() -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    bpe.train_from_iterator(TEXT, trainer)
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    bpe.add_tokens([AddedToken(token, special=False, normalized=False) for token in MARKS])
    return bpe
