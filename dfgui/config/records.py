"""What a run leaves behind while it goes on: points of its curve, checkpoints, evaluations; by SFTConfig's names."""

from typing import Any, Literal

from pydantic import field_validator

from dfgui.config.block import Block, setting


class Records(Block):
    logging_steps: int = setting(5, "Log every", "Steps between two points of the loss curve.", "logging", ge=1)
    save_strategy: Literal["steps", "epoch"] = setting(
        "steps", "Save by", "When checkpoints are written; the last step is always saved.", "checkpoints", "advanced"
    )
    save_steps: int = setting(
        100,
        "Save every",
        "Steps between two checkpoints.",
        "checkpoints",
        ge=1,
        when={"training.save_strategy": ["steps"]},
    )
    save_total_limit: int = setting(
        0,
        "Keep at most",
        "Older checkpoints are deleted beyond this many. The last always stays, and the best if it was evaluated as it "
        "was saved: make save_steps a multiple of eval_steps. Those marked Keep on Export stay besides. 0: keep all.",
        "checkpoints",
        "advanced",
        ge=0,
        le=1000,
    )
    eval_strategy: Literal["steps", "epoch", "no"] = setting(
        "steps", "Evaluate by", "When the held-out rows are scored.", "evaluation", "advanced"
    )
    eval_steps: int = setting(
        50,
        "Evaluate every",
        "Steps between two evaluations.",
        "evaluation",
        ge=1,
        when={"training.eval_strategy": ["steps"]},
    )
    eval_on_start: bool = setting(
        False,
        "Evaluate first",
        "One evaluation before the first step, to see where the model begins.",
        "evaluation",
        "advanced",
        when={"training.eval_strategy": ["steps", "epoch"]},
    )
    per_device_eval_batch_size: int = setting(
        8, "Eval batch size", "Rows per device while evaluating.", "evaluation", "advanced", ge=1, le=4096
    )

    @field_validator("eval_strategy", mode="before")
    @classmethod
    def no_as_yaml_reads_it(cls, strategy: Any) -> Any:
        """YAML 1.1 reads a bare `no` as false."""
        return "no" if strategy is False else strategy

    @field_validator("save_total_limit", mode="before")
    @classmethod
    def nothing_said_keeps_all(cls, limit: Any) -> Any:
        return 0 if limit is None else limit

    @field_validator("save_total_limit")
    @classmethod
    def room_for_best_and_last(cls, limit: int) -> int:
        if limit == 1:
            raise ValueError("1 would delete the last checkpoint or the best. Use 2 or more, or 0 to keep all.")
        return limit
