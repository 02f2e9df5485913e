"""Makes the demo's base model from nothing: python -m dfgui.models.demo.pretrain --out DIR --minutes N

Conversations come fresh from corpus.py and are never repeated; only answers are learned. Two idle cores take in about
14,000 tokens a second in bf16. The learning rate falls to zero at --steps, or at --minutes if that comes first. With
--keep FILE the state is saved each few minutes, and a second call goes on.
"""

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from dfgui.models.demo import tokenizer as demo_tokenizer
from dfgui.models.demo.corpus import conversation
from dfgui.models.demo.render import THINK, pieces

TOKENS = 6144  # tokens a step
LONGEST = 768  # tokens; longer conversations are left out
WARMUP = 40  # steps
BLOCK = 128  # queries at a time in attention
Row = tuple[list[int], list[int]]  # input ids and labels of one conversation
State = dict[str, Any]  # {"step": 1200, "seconds": 610.2, "pool": 48}
Batch = tuple[torch.Tensor, torch.Tensor]  # input_ids and labels, each (rows, length)


def main() -> None:
    parser = argparse.ArgumentParser(description="Pretrain the demo's base model.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model and its tokenizer")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--rate", type=float, default=4e-3, help="highest learning rate of the matrices")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=Path, help="folder of an earlier base to go on from")
    parser.add_argument("--keep", type=Path, help="file that holds the state, to go on after an interruption")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    if asked.start:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(asked.start)
        model = Qwen3ForCausalLM.from_pretrained(asked.start, dtype=torch.float32)
    else:
        tokenizer = demo_tokenizer.trained(asked.seed)
        model = new_model(tokenizer)
    AttentionInterface.register("blocks", attention)
    model.set_attn_implementation("blocks")
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    train(model, tokenizer, asked)
    model.bfloat16().save_pretrained(asked.out)
    tokenizer.save_pretrained(asked.out)


def new_model(tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    """Random weights: five layers, 256 wide, four heads, embeddings tied."""
    config = Qwen3Config(
        vocab_size=demo_tokenizer.VOCABULARY,
        hidden_size=256,
        num_hidden_layers=5,
        intermediate_size=512,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=64,
        max_position_embeddings=2048,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Qwen3ForCausalLM(config)


def train(model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, asked: argparse.Namespace) -> None:
    """Train for the steps or the minutes asked for, those of interrupted calls included."""
    optimizers = make_optimizers(model, asked.rate)
    state = load_state(asked.keep, model, optimizers)
    body = torch.compile(model.model, dynamic=False)  # anew for each length, of which there are few
    last = saved = time.monotonic()
    average, tokens, done = 0.0, 0, 0.0
    for pool in itertools.count(state["pool"]):
        if asked.keep and last - saved > 120:
            save_state(asked.keep, model, optimizers, state | {"pool": pool})
            saved = last
        simple = 0.1 if asked.start else max(0.1, 0.9 - state["step"] / 600)
        for input_ids, labels in make_pool(tokenizer, Random(f"{asked.seed}-{pool}"), simple):
            done = max(state["step"] / asked.steps, state["seconds"] / (asked.minutes * 60))
            if done >= 1:
                return
            set_rates(optimizers, state["step"], done)
            loss = answer_loss(model, body, input_ids, labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
            average = 0.98 * average + 0.02 * loss.item() if average else loss.item()
            now = time.monotonic()
            state["seconds"], state["step"], last, tokens = (
                state["seconds"] + now - last,
                state["step"] + 1,
                now,
                tokens + input_ids.numel(),
            )
            if state["step"] % 50 == 0:
                print(
                    f"step {state['step']} loss {average:.4f} seconds {state['seconds']:.0f} tokens {tokens:,}",
                    flush=True,
                )


def make_pool(tokenizer: PreTrainedTokenizerFast, rng: Random, simple: float) -> list[Batch]:
    """Batches of TOKENS each, conversations of like length side by side; `simple` is the share of plain exercises.

    A conversation is as long as the next multiple of BLOCK; those that fill no batch are left out.
    """
    batches = []
    by_length: dict[int, list[Row]] = defaultdict(list)
    for _ in range(1200):
        row = tokens_of(tokenizer, conversation(rng, simple), rng)
        length = -(-len(row[0]) // BLOCK) * BLOCK
        if length > LONGEST:
            continue
        by_length[length].append(row)
        if len(by_length[length]) == TOKENS // length:
            batches.append(padded(by_length.pop(length), length, tokenizer.pad_token_id))
    return batches


def tokens_of(tokenizer: PreTrainedTokenizerFast, talk: dict, rng: Random) -> Row:
    """Input ids and labels of a conversation, -100 where nothing is learned."""
    texts = pieces(
        talk, THINK if rng.random() < 0.8 else ""
    )  # past answers are shown without their thinking at inference
    encoded = tokenizer.backend_tokenizer.encode_batch([text for text, _ in texts], add_special_tokens=False)
    input_ids: list[int] = []
    labels: list[int] = []
    for (_, learned), piece in zip(texts, encoded, strict=True):
        input_ids += piece.ids
        labels += piece.ids if learned else [-100] * len(piece.ids)
    return input_ids, labels


def padded(group: list[Row], length: int, pad: int) -> Batch:
    input_ids = [ids + [pad] * (length - len(ids)) for ids, _ in group]
    labels = [marks + [-100] * (length - len(marks)) for _, marks in group]
    return torch.tensor(input_ids), torch.tensor(labels)


def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention over (rows, heads, length, width) in bf16: BLOCK queries at a time, on the keys up to them.

    On a CPU it takes half the time of PyTorch's own, whose bf16 kernel does not use the fast matrix instructions
    everywhere. Lengths are multiples of BLOCK; padding stands at the end, where nothing is learned, so
    `attention_mask` is not needed.
    """
    out = []
    with torch.autocast("cpu", enabled=False):
        query, key, value = (query * scaling).bfloat16(), key.bfloat16(), value.bfloat16()
        ahead = torch.full((BLOCK, BLOCK), float("-inf"), dtype=torch.bfloat16).triu(1)
        for start in range(0, query.shape[2], BLOCK):
            end = start + BLOCK
            weights = query[:, :, start:end] @ key[:, :, :end].transpose(2, 3)
            weights = weights + functional.pad(ahead, (start, 0))
            out.append(torch.softmax(weights, dim=-1) @ value[:, :, :end])
    return torch.cat(out, dim=2).transpose(1, 2), None


def answer_loss(
    model: Qwen3ForCausalLM, body: Callable[..., Any], input_ids: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy of the answers; logits are made for their positions only."""
    targets = labels[:, 1:].flatten()
    wanted = targets.ne(-100).nonzero().squeeze(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = body(input_ids=input_ids, use_cache=False).last_hidden_state[:, :-1].flatten(0, 1)
        logits = model.lm_head(hidden[wanted])
    return functional.cross_entropy(logits.float(), targets[wanted])


def make_optimizers(model: Qwen3ForCausalLM, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW at three quarters of its rate for embeddings and norms."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=0.75 * rate, weight_decay=0.0, betas=(0.9, 0.98)),
    ]


def set_rates(optimizers: list[torch.optim.Optimizer], step: int, done: float) -> None:
    """Warm up, hold, and fall to zero over the last 60 % of the way."""
    factor = min(1.0, (step + 1) / WARMUP, (1 - done) / 0.6)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor


def save_state(keep: Path, model: torch.nn.Module, optimizers: list[torch.optim.Optimizer], state: State) -> None:
    kept = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "state": state,
    }
    partial = keep.with_suffix(".partial")
    torch.save(kept, partial)
    partial.replace(keep)


def load_state(keep: Path | None, model: torch.nn.Module, optimizers: list[torch.optim.Optimizer]) -> State:
    """Steps done, seconds spent and the next pool of conversations: those of an earlier call, or zeros."""
    if not keep or not keep.exists():
        return {"step": 0, "seconds": 0.0, "pool": 0}
    kept = torch.load(keep, weights_only=True)
    model.load_state_dict(kept["model"])
    for optimizer, saved in zip(optimizers, kept["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return kept["state"]


if __name__ == "__main__":
    main()
