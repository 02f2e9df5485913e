"""A tiny Qwen3 whose tokenizer llama.cpp knows: Qwen2's, put together again from a checkout's own file of its words."""

import sys
from pathlib import Path

from tests.tiny import trl_template

WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def known_folder(checkout: Path, folder: Path) -> Path:
    """The model in `folder`, its weights random."""
    import torch
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    sys.path.append(str(checkout / "gguf-py"))
    from gguf import GGUFReader

    read = GGUFReader(str(checkout / "models" / "ggml-vocab-qwen2.gguf"))
    tokens, kinds, merges = (
        read.get_field(f"tokenizer.ggml.{name}").contents() for name in ("tokens", "token_type", "merges")
    )
    normal = {token: number for number, (token, kind) in enumerate(zip(tokens, kinds, strict=True)) if kind == 1}
    words = Tokenizer(models.BPE(normal, [tuple(merge.split(" ")) for merge in merges]))
    words.normalizer = normalizers.NFC()
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS), "isolated"), bytes_])
    words.decoder = decoders.ByteLevel()
    words.add_special_tokens(
        [AddedToken(f"<|{name}|>", normalized=False) for name in ("endoftext", "im_start", "im_end")]
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = trl_template("qwen3")
    tokenizer.save_pretrained(folder)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 16}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "tie_word_embeddings": True}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    config = Qwen3Config(vocab_size=len(tokens), max_position_embeddings=512, **small, **heads, **ends)
    Qwen3ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    return folder
