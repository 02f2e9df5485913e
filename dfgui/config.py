"""What a run is asked to do: one class, from which the form (fields.py), YAML and the command line (recipe.py) come.

    name: weather-lora
    model: {name: demo}
    data: {source: rows.jsonl, eval_fraction: 0.1}
    method: lora
    adapter: {r: 16, lora_alpha: 32}
    training: {max_steps: 60, learning_rate: 2.0e-3, logging_steps: 1}

Names are TRL's where TRL has one, and each default stands here and nowhere else. What is wrong on every machine is
refused here; what is wrong on this machine is training/preflight.py's business. Imports neither torch nor TRL.
"""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

# The two starting points of DeepFabric's "Training Frameworks" page: an adapter takes steps ten times larger.
LEARNING_RATES = {"lora": 2e-4, "full": 2e-5}

LATER = ("early_stopping", "callbacks", "trackers", "extra")  # blocks that this version does not know yet

# What can be wrong with a row (data/checks.py says more) and is cured by leaving the row out.
LEAVABLE = (
    "unreadable",
    "mixed_formats",
    "no_answer",
    "no_question",
    "not_rendered",
    "nothing_learned",
    "words_dropped",
    "reasoning_dropped",
    "tools_not_shown",
    "answer_lost",
    "answer_cut",
    "cut",
    "unknown_tool",
    "arguments",
    "tool_schema",
    "result_without_call",
    "call_without_result",
    "role_order",
    "empty_turn",
    "not_text",
    "duplicate",
    "in_evaluation",
)

COLUMNS = ("prompt", "answer", "context", "system", "tools")  # what a column can be, where the format is "columns"

GROUPS = {  # the form's sections, in its order
    "model": "Model",
    "data": "Data",
    "method": "Method",
    "adapter": "Adapter",
    "duration": "Duration",
    "batch": "Batch",
    "schedule": "Learning rate",
    "precision": "Precision and memory",
    "records": "Logging, checkpoints, evaluation",
    "run": "Run",
}


def setting(default: Any, title: str, help: str, group: str, level: str = "basic", **bounds: Any) -> Any:
    """A pydantic field that the form can draw. `level` is basic or advanced; `bounds` are pydantic's ge, gt, le, lt."""
    return Field(default, title=title, description=help, json_schema_extra={"group": group, "level": level}, **bounds)


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False, str_strip_whitespace=True)


class Model(Block):
    name: str = setting(
        "demo", "Model", "A Hub id, a local folder, or demo: the tiny model that comes with dfgui.", "model"
    )
    revision: str | None = setting(
        None, "Revision", "Branch, tag or commit on the Hub. Empty: its main branch.", "model", "advanced"
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = setting(
        "auto",
        "Weights held in",
        "auto: 16-bit for an adapter on a GPU that can, 32-bit otherwise, so that small updates are not rounded away.",
        "model",
        "advanced",
    )

    @model_validator(mode="before")
    @classmethod
    def whole_weights_only(cls, values: Any) -> Any:
        """`load_in_4bit: false` asks for what is done anyway."""
        if isinstance(values, dict) and "load_in_4bit" in values:
            values = dict(values)
            if values.pop("load_in_4bit"):
                raise ValueError("load_in_4bit is not in this version: leave it out, or set it to false.")
        return values

    @field_validator("name")
    @classmethod
    def named(cls, name: str) -> str:
        if not name:
            raise ValueError("Name a model: a Hub id, a folder, or demo.")
        return name


class Data(Block):
    source: str = setting("demo", "Dataset", "A file, hf:owner/name on the Hub, or demo.", "data")
    config: str | None = setting(
        None, "Configuration", "Which configuration of a Hub dataset. Empty: its default.", "data", "advanced"
    )
    split: str = setting("train", "Split", "Which split of a Hub dataset.", "data", "advanced")
    format: Literal["auto", "messages", "sharegpt", "alpaca", "prompt_completion", "text", "columns"] = setting(
        "auto", "Format", "How a row is written. auto looks at the first rows.", "data"
    )
    prompt_column: str | None = setting(None, "Prompt", "What is asked.", "data", "advanced", validate_default=True)
    answer_column: str | None = setting(
        None, "Answer", "What is to be learned.", "data", "advanced", validate_default=True
    )
    context_column: str | None = setting(None, "Context", "Below the prompt, if any.", "data", "advanced")
    system_column: str | None = setting(None, "System", "A system message, if any.", "data", "advanced")
    tools_column: str | None = setting(None, "Tools", "Tools on offer, if any.", "data", "advanced")
    eval_source: str | None = setting(
        None,
        "Evaluation file",
        "Rows to evaluate on, never trained on. Empty: a share of the dataset is held out.",
        "data",
        "advanced",
    )
    eval_fraction: float = setting(
        0.1,
        "Held out",
        "Share of the rows kept for evaluation. 0.1 is the usual choice; 0 turns evaluation off.",
        "data",
        ge=0,
        le=0.5,
    )
    test_fraction: float = setting(
        0.0,
        "Kept for the test",
        "Share of the rows that are neither trained nor evaluated on: Evaluate and Chat ask these. 0.1 makes an "
        "80/10/10 split; 0: they ask the held-out rows.",
        "data",
        "advanced",
        ge=0,
        le=0.4,
    )
    where: str | None = setting(
        None,
        "Only rows where",
        "A condition on a column: language = en, metadata.topic != test, source ~ wiki. Empty: all rows.",
        "data",
        "advanced",
    )
    limit: int | None = setting(None, "At most", "So many rows, the first ones. Empty: all.", "data", "advanced", ge=1)
    train_on: Literal["assistant", "last_assistant", "completion", "everything"] = setting(
        "assistant",
        "Learn from",
        "assistant: every answer and tool call. last_assistant: only the final answer. completion: what follows the "
        "prompt. everything: questions and tool results too, which is rarely wanted.",
        "data",
        "advanced",
    )
    tools: Literal["all", "used"] = setting(
        "all",
        "Tools shown",
        "all: as in the row. used: only the tools the row calls, for shorter prompts.",
        "data",
        "advanced",
    )

    reasoning: Literal["keep", "none", "think", "reasoning_content"] = setting(
        "keep",
        "Reasoning",
        "Where an answer's thoughts stand. keep: as in the row. none: taken out. think: in <think> tags before the "
        "answer. reasoning_content: in a field of its own, for templates that read one.",
        "data",
        "advanced",
    )
    system: str | None = setting(
        None, "System message", "Stands in every row in place of its own. Empty: as in the row.", "data", "advanced"
    )
    leave_out: list[Literal[LEAVABLE]] = setting(  # type: ignore[valid-type]  # the names stand once, above
        [], "Rows left out", "Rows with these findings are not trained on.", "data", "advanced"
    )

    @field_validator("source")
    @classmethod
    def named(cls, source: str) -> str:
        if not source:
            raise ValueError("Name a dataset: a file, hf:owner/name, or demo.")
        return source

    @property
    def columns(self) -> dict[str, str]:
        """Which column is what: {"prompt": "question", "answer": "reply"}."""
        named = {place: getattr(self, f"{place}_column") for place in COLUMNS}
        return {place: column for place, column in named.items() if column}

    @field_validator("prompt_column", "answer_column")
    @classmethod
    def mapped(cls, column: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("format") == "columns" and not column:
            raise ValueError("Choose a column of the dataset.")
        return column

    @field_validator("where")
    @classmethod
    def a_condition(cls, where: str | None) -> str | None:
        if where and not re.match(r"[^=!~]+(!=|=|~)", where):
            raise ValueError("Write a column, then =, != or ~, then a value: language = en.")
        return where or None


class Adapter(Block):
    r: int = setting(
        16,
        "Rank",
        "Size of the adapter. 8 to 64 is usual; more can learn more and costs more.",
        "adapter",
        ge=1,
        le=1024,
    )
    lora_alpha: int = setting(
        32,
        "Alpha",
        "How strongly the adapter acts: its update is scaled by alpha / rank. Once or twice the rank is usual.",
        "adapter",
        ge=1,
        le=4096,
    )
    lora_dropout: float = setting(
        0.0,
        "Dropout",
        "Share of adapter inputs switched off at random; 0.05 can help on small datasets.",
        "adapter",
        "advanced",
        ge=0,
        lt=1,
    )
    target_modules: str | list[str] = setting(
        "all-linear",
        "Layers adapted",
        "all-linear, or names separated by commas: q_proj, k_proj, v_proj, o_proj.",
        "adapter",
        "advanced",
    )

    @field_validator("target_modules")
    @classmethod
    def listed(cls, modules: str | list[str]) -> str | list[str]:
        if isinstance(modules, list) or modules == "all-linear":
            names = modules
        else:
            names = [name.strip() for name in modules.split(",") if name.strip()]
        if not names:
            raise ValueError("Write all-linear, or the names of layers separated by commas.")
        return names


SCHEDULERS = Literal[
    "linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt"
]
OPTIMIZERS = Literal["adamw_torch_fused", "adamw_torch", "adamw_8bit", "paged_adamw_8bit", "adafactor", "sgd"]


class Training(Block):
    """SFTConfig's names and meanings, flat."""

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
    per_device_eval_batch_size: int = setting(
        8, "Eval batch size", "Rows per device while evaluating.", "batch", "advanced", ge=1, le=4096
    )
    packing: bool = setting(
        False,
        "Packing",
        "Join short rows into sequences of max length. Quicker, if attention keeps the rows apart.",
        "batch",
        "advanced",
    )
    learning_rate: float = setting(
        LEARNING_RATES["lora"],
        "Learning rate",
        "Size of an update. 2e-4 for LoRA, 2e-5 for full fine-tuning.",
        "schedule",
        gt=0,
        le=10,
    )
    lr_scheduler_type: SCHEDULERS = setting(
        "linear", "Schedule", "How the learning rate falls over the run.", "schedule", "advanced"
    )
    warmup_steps: float = setting(
        0.0,
        "Warm-up",
        "Steps until the learning rate is full. Below 1: a share of all steps.",
        "schedule",
        "advanced",
        ge=0,
    )
    optim: OPTIMIZERS = setting(
        "adamw_torch_fused",
        "Optimiser",
        "adamw_8bit and paged_adamw_8bit save memory and need bitsandbytes.",
        "schedule",
        "advanced",
    )
    weight_decay: float = setting(
        0.0, "Weight decay", "Pull of the weights towards zero; 0.01 is common.", "schedule", "advanced", ge=0, le=1
    )
    max_grad_norm: float = setting(
        1.0, "Gradient clipping", "Larger gradients are scaled down to this norm.", "schedule", "advanced", gt=0
    )
    precision: Literal["auto", "bf16", "fp16", "fp32"] = setting(
        "auto", "Precision", "auto: bf16 where the hardware supports it, otherwise fp16, otherwise fp32.", "precision"
    )
    gradient_checkpointing: bool = setting(
        True,
        "Gradient checkpointing",
        "Recompute instead of remember: much less memory, about a quarter slower.",
        "precision",
    )
    logging_steps: int = setting(5, "Log every", "Steps between two points of the loss curve.", "records", ge=1)
    save_strategy: Literal["steps", "epoch"] = setting(
        "steps", "Save by", "When checkpoints are written; the last step is always saved.", "records", "advanced"
    )
    save_steps: int = setting(100, "Save every", "Steps between two checkpoints.", "records", ge=1)
    save_total_limit: int = setting(
        0,
        "Keep at most",
        "Older checkpoints are deleted beyond this many. The last always stays, and the best if it was evaluated as it "
        "was saved: make save_steps a multiple of eval_steps. 0: keep all.",
        "records",
        "advanced",
        ge=0,
        le=1000,
    )
    eval_strategy: Literal["steps", "epoch", "no"] = setting(
        "steps", "Evaluate by", "When the held-out rows are scored.", "records", "advanced"
    )
    eval_steps: int = setting(50, "Evaluate every", "Steps between two evaluations.", "records", ge=1)
    seed: int = setting(
        42, "Seed", "Same seed, same data order and same start.", "records", "advanced", ge=0, le=2**32 - 1
    )

    @model_validator(mode="before")
    @classmethod
    def known_by_older_names(cls, values: Any) -> Any:
        """Older names: max_seq_length, warmup_ratio (a zero never overrides warmup_steps), bf16, fp16."""
        if not isinstance(values, dict):
            return values
        values = dict(values)
        if "max_seq_length" in values:
            values.setdefault("max_length", values.pop("max_seq_length"))
        if ratio := values.pop("warmup_ratio", 0):
            values["warmup_steps"] = ratio
        flags = {name: values.pop(name) for name in ("bf16", "fp16") if name in values}
        if flags.get("bf16") and flags.get("fp16"):
            raise ValueError("bf16 and fp16 cannot both be on: choose one precision.")
        if flags:
            values.setdefault("precision", next((name for name, on in flags.items() if on), "fp32"))
        return values

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

    @field_validator("max_steps")
    @classmethod
    def some_steps(cls, steps: int) -> int:
        if steps == 0:
            raise ValueError("0 steps train nothing. Use -1 to go by epochs.")
        return steps


class Run(Block):
    placement: Literal["thread"] = setting("thread", "Runs in", "thread: inside the app.", "run", "advanced")
    backend: Literal["trl"] = setting("trl", "Engine", "trl: SFTTrainer of the TRL library.", "run", "advanced")


class RunConfig(Block):
    name: str = setting(
        "", "Run name", "What this run is called in the list. Empty: made from the model and the method.", "run"
    )
    model: Model = Field(default_factory=Model)
    data: Data = Field(default_factory=Data)
    method: Literal["lora", "full"] = setting(
        "lora", "Method", "lora trains a small adapter and fits nearly anywhere; full trains every weight.", "method"
    )
    adapter: Adapter = Field(default_factory=Adapter)
    training: Training = Field(default_factory=Training)
    run: Run = Field(default_factory=Run)

    @model_validator(mode="before")
    @classmethod
    def of_this_version(cls, values: Any) -> Any:
        """Blocks that are known and not yet there are refused by that reason, unless they ask for nothing."""
        if not isinstance(values, dict):
            return values
        for block in LATER:
            if values.get(block):
                raise ValueError(f"{block} is not in this version: leave it out.")
        return {name: value for name, value in values.items() if name not in LATER}

    @model_validator(mode="before")
    @classmethod
    def learning_rate_of_the_method(cls, values: Any) -> Any:
        """A learning rate that nobody chose is the method's own."""
        if not isinstance(values, dict):
            return values
        training = values.get("training") or {}
        if isinstance(training, dict) and training.get("learning_rate") is None:
            rate = LEARNING_RATES.get(values.get("method", "lora"), LEARNING_RATES["lora"])
            values = {**values, "training": {**training, "learning_rate": rate}}
        return values

    @model_validator(mode="before")
    @classmethod
    def output_dir_names_the_run(cls, values: Any) -> Any:
        """`output_dir` of the reference page names a folder; here a run's folder is dfgui's, so it names the run."""
        if isinstance(values, dict) and isinstance(values.get("training"), dict) and "output_dir" in values["training"]:
            training = dict(values["training"])
            folder = Path(str(training.pop("output_dir") or "")).name
            values = {**values, "training": training, "name": values.get("name") or folder}
        return values

    def title(self) -> str:
        """The name given, or one made from what is trained: "demo-lora"."""
        return self.name or f"{self.model.name.rstrip('/').rsplit('/', 1)[-1]}-{self.method}"

    def rows_per_step(self, devices: int = 1) -> int:
        """The effective batch: rows that one update of the weights has seen."""
        return self.training.per_device_train_batch_size * self.training.gradient_accumulation_steps * max(devices, 1)
