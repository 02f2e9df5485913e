"""How long a run is, and which rows one step of it sees: SFTConfig's names and meanings."""

from typing import Any, Literal

from pydantic import field_validator

from dfgui.config.block import Block, setting


class Duration(Block):
    num_train_epochs: float = setting(
        3.0,
        "Epochs",
        "How often the model sees each row. 1 to 3 is usually enough; more can overfit a small dataset.",
        "duration",
        gt=0,
        le=1000,
    )
    max_steps: int = setting(
        -1, "Max steps", "Stop after this many updates. -1: as many as the epochs need.", "duration", ge=-1
    )
    max_length: int = setting(
        1024, "Max length", "Tokens per row. Longer rows are cut: their end is lost.", "duration", ge=8, le=1_048_576
    )
    seed: int = setting(
        42, "Seed", "Same seed, same data order and same start.", "duration", "advanced", ge=0, le=2**32 - 1
    )

    @field_validator("max_steps")
    @classmethod
    def some_steps(cls, steps: int) -> int:
        if steps == 0:
            raise ValueError("0 steps train nothing. Use -1 to go by epochs.")
        return steps


class Batches(Block):
    per_device_train_batch_size: int = setting(
        4,
        "Batch size",
        "Rows per device at once. Start with 2 to 4 and raise it while memory allows.",
        "batch",
        ge=1,
        le=4096,
    )
    gradient_accumulation_steps: int = setting(
        4,
        "Accumulation",
        "Batches added up before one update: a larger batch without the memory.",
        "batch",
        ge=1,
        le=4096,
    )
    train_sampling_strategy: Literal["auto", "random", "group_by_length", "sequential"] = setting(
        "auto",
        "Order of rows",
        "auto: group_by_length where a fifth of a shuffled batch or more would be padding, else random. random: "
        "shuffled. group_by_length: shuffled, rows of like length together, so that less is padded and steps are "
        "quicker. sequential: as in the dataset.",
        "batch",
        "advanced",
    )
    packing: bool = setting(
        False,
        "Packing",
        "Join short rows into sequences of max length, so that little is padded. Each row reads itself alone.",
        "batch",
        "advanced",
    )
    packing_strategy: Literal["bfd", "bfd_split", "wrapped"] = setting(
        "bfd",
        "Packing by",
        "bfd: rows are fitted together whole. bfd_split: so too, and a row that is too long goes on in the next "
        "sequence. wrapped: rows are cut wherever a sequence is full, and read each other.",
        "batch",
        "advanced",
        when={"training.packing": [True]},
    )
    dataloader_num_workers: int = setting(
        0,
        "Loader processes",
        "Processes that put batches together beside the training. 0: the training itself, which is enough for prepared "
        "rows.",
        "batch",
        "advanced",
        ge=0,
        le=64,
    )

    @field_validator("packing_strategy", mode="before")
    @classmethod
    def by_its_older_name(cls, strategy: Any) -> Any:
        return "bfd_split" if strategy == "bfd-requeue" else strategy
