"""What TRL itself makes of raw rows: the witness that ours is the same."""

import tempfile
from typing import Any


def trl_rows(
    tokenizer: Any, rows: list[dict], as_arrow_fits_them: bool = False, **options: Any
) -> list[tuple[list[int], list[int]]]:
    """(input_ids, labels) of each row as SFTTrainer prepares it. `options` are SFTConfig's.

    TRL gets the rows as they stand, or `as_arrow_fits_them` into one schema, as a file of Parquet would hold them.
    """
    import torch
    from datasets import Dataset, Features, Json, List
    from transformers import Qwen2Config, Qwen2ForCausalLM
    from trl import SFTConfig, SFTTrainer

    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 1, "num_key_value_heads": 1}
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), **sizes, **heads))
    chat = isinstance(next(iter(rows[0].values())), list)
    features = Features({column: List(Json()) for column in rows[0]}) if chat and not as_arrow_fits_them else None
    options = {"max_length": None, "shuffle_dataset": False, "report_to": "none", **options}
    config = SFTConfig(output_dir=tempfile.gettempdir(), use_cpu=True, bf16=False, **options)
    data = Dataset.from_list(rows, features=features)
    trainer = SFTTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer)
    return [(row["input_ids"], row["labels"]) for row in trainer.train_dataset]
