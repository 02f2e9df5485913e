"""The source of train.py, part by part: what it says of itself, rows, model, adapter, arguments, trainer, end."""

import textwrap

from dfgui.config import RunConfig
from dfgui.training import methods
from dfgui.training.script import own as own_callbacks
from dfgui.training.script.arguments import sft_config
from dfgui.training.script.known import Known
from dfgui.training.script.own import Own
from dfgui.training.script.places import (
    ACCELERATE,
    ADAPTER,
    CHECKPOINTS,
    EVAL,
    FROM,
    LOG,
    METHOD,
    MODEL,
    RECIPE,
    TOKENIZER,
    TRAIN,
    TRAINED,
)
from dfgui.training.script.python import STEP, WIDTH, call, imports, literal

REMARKS = {
    "bf16": "SFTConfig would take bf16 where nothing is said",
    "use_cpu": "as the run did; without it, a GPU is used where there is one",
    "packing": "rows are joined by TRL, up to max_length tokens",
    "dataset_kwargs": "the rows are tokens already",
    "logging_nan_inf_filter": "a loss that is no number is logged as it is",
}


def text(config: RunConfig, known: Known) -> str:
    """The source of train.py."""
    own = own_callbacks.listed(config.callbacks)
    parts = [_room() if known.grows else "", *(own_callbacks.whole(one) for one in own if one.use in known.plain)]
    body = "\n\n\n".join([*filter(None, parts), _main(config, known, own), 'if __name__ == "__main__":\n    main()'])
    beside = {one.imported: one.module for one in own if one.is_file} | {"choose": METHOD.format(config.method)}
    elsewhere = {one.imported: one.module for one in own if not one.is_file}
    constants = f"HERE = Path(__file__).parent\nSEED = {config.training.seed}"
    taken = imports(f"{constants}\n{body}", {**FROM, **elsewhere}, beside)
    if config.run.backend == "unsloth":  # isort would put it last
        first = "from unsloth import FastLanguageModel  # isort: skip  # first: it changes what is imported below"
        taken = f"{first}\n\n{taken}"
    return f'"""{_opening(config, known)}"""\n\n{taken}\n\n{constants}\n\n\n{body}\n'


def _opening(config: RunConfig, known: Known) -> str:
    """The docstring."""
    title = "".join(sign for sign in config.title() if sign.isprintable()).replace("\\", "/").replace('"', "'")
    unsloth = config.run.backend == "unsloth"
    rows = f"{TRAIN} holds" if not known.evaluates else f"{TRAIN} and {EVAL} hold"
    told = (
        f"{rows} the rows as tokens: `input_ids` is what the model reads, made with the chat template of {TOKENIZER}/; "
        "`labels` is the same with -100 for every token that is read and not learned, as questions and tool results "
        f"are. The trained {'adapter' if config.method == 'lora' else 'model'} goes to {TRAINED}/, what is logged to "
        f"{LOG}. {RECIPE} says the same to dfgui."
    )
    whose = f"run {known.run} of dfgui" if known.run else "a run of dfgui"
    paragraphs = [
        _wrapped(f"{title}: {whose} as a plain {'Unsloth' if unsloth else 'TRL'} script, with the same losses."),
        f"    pip install -r requirements.txt\n    {_started(config, known)}",
        _wrapped(told),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _wrapped(words: str) -> str:
    return textwrap.fill(words, WIDTH - 3, break_long_words=False, break_on_hyphens=False)


def _started(config: RunConfig, known: Known) -> str:
    if config.run.placement != "accelerate":
        return "python train.py"
    if config.run.accelerate_config:
        return f"accelerate launch --config_file {ACCELERATE} train.py"
    return f"torchrun --standalone --nproc_per_node={known.processes} train.py"


def _main(config: RunConfig, known: Known, own: list[Own]) -> str:
    blocks = [
        _data(known),
        "    set_seed(SEED)  # before the model: what is new in it begins with random numbers\n"
        + _model(config, known),
        *_adapter(config, known),
        _arguments(config, known),
        _trainer(config, known, own),
        _end(config),
    ]
    return "def main():\n" + "\n\n".join(blocks)


def _data(known: Known) -> str:
    lines = [f'tokenizer = AutoTokenizer.from_pretrained(HERE / "{TOKENIZER}")']
    lines += [f'train_dataset = Dataset.from_parquet(str(HERE / "{TRAIN}"))']
    lines += [f'eval_dataset = Dataset.from_parquet(str(HERE / "{EVAL}"))'] if known.evaluates else []
    return _indented(lines)


def _indented(lines: list[str]) -> str:
    return "\n".join(f"{STEP}{line}" for line in lines)


def _model(config: RunConfig, known: Known) -> str:
    loaded = _by_unsloth(config, known) if config.run.backend == "unsloth" else _by_transformers(config, known)
    lines = [*(["make_room(model, tokenizer)"] if known.grows else [])]
    lines += ["model.config.use_cache = False  # a cache only costs memory while training"]
    chosen = "\n    choose(model)  # and freezes the rest" if methods.chooser(config.method) else ""
    return f"{loaded}\n{_indented(lines)}{_earlier(known)}{chosen}"


def _by_transformers(config: RunConfig, known: Known) -> str:
    several = known.processes > 1 or config.run.placement == "accelerate"
    device = "cpu" if several else known.device
    arguments = {"revision": literal(known.revision)} if known.revision else {}
    arguments["dtype"] = literal(known.dtype)
    if config.model.attn_implementation != "auto":
        arguments["attn_implementation"] = literal(config.model.attn_implementation)
    before = ""
    if bits := config.model.bits:
        how = {f"load_in_{bits}bit": "True"}
        if bits == 4:
            how |= {"bnb_4bit_quant_type": '"nf4"', "bnb_4bit_use_double_quant": "True"}
            how["bnb_4bit_compute_dtype"] = literal(known.dtype)
        before = call("BitsAndBytesConfig", how, f"in_{bits}bit = ", 1) + "\n"
        arguments |= {"quantization_config": f"in_{bits}bit", "device_map": literal({"": device})}
    place = f'HERE / "{MODEL}"' if known.model == MODEL else literal(known.model)
    made = call("AutoModelForCausalLM.from_pretrained", arguments, "model = ", 1, first=(place,))
    if device != "cpu" and not config.model.bits:
        made += f"\n    model = model.to({literal(device)})"
    return before + made


def _by_unsloth(config: RunConfig, known: Known) -> str:
    """Of the Hub, Unsloth would take a copy of its own, which may be another; so it is given a folder."""
    place, before = f'str(HERE / "{MODEL}")', ""
    if known.model != MODEL:
        revision = {"revision": literal(known.revision)} if known.revision else {}
        before = call("snapshot_download", revision, "folder = ", 1, first=(literal(known.model),))
        place, before = "folder", before + "\n"
    arguments = {
        "model_name": place,
        "max_seq_length": literal(config.training.max_length),
        "dtype": f"torch.{known.dtype}",
        "load_in_4bit": literal(config.model.load_in_4bit),
        **({"load_in_8bit": "True"} if config.model.load_in_8bit else {}),
        "full_finetuning": literal(config.method == "full"),
        "use_gradient_checkpointing": _checkpointing(config),
    }
    return before + call("FastLanguageModel.from_pretrained", arguments, "model, _ = ", 1)


def _checkpointing(config: RunConfig) -> str:
    return '"unsloth"' if config.training.gradient_checkpointing else "False"


def _earlier(known: Known) -> str:
    """What is laid on the base of a run that begins from an earlier one's adapter."""
    if known.adapter == "trained on":
        trained = f'PeftModel.from_pretrained(model, HERE / "{ADAPTER}", is_trainable=True)'
        return f"\n    model = {trained}  # the same adapter goes on"
    if known.adapter == "merged":
        merged = f'model = PeftModel.from_pretrained(model, HERE / "{ADAPTER}").merge_and_unload()'
        return "\n" + _indented([merged, "model.requires_grad_(True)"])
    return ""


def _adapter(config: RunConfig, known: Known) -> list[str]:
    """A new adapter."""
    if config.method != "lora" or known.adapter:
        return []
    adapter = config.adapter
    names = ("r", "lora_alpha", "lora_dropout", "target_modules")
    usual = {"lora_dropout": 0.0, "use_rslora": False, "use_dora": False}
    arguments = {
        name: literal(value, 8 + len(name) + 1, 2)
        for name, value in ((name, getattr(adapter, name)) for name in (*names, "use_rslora", "use_dora"))
        if usual.get(name) != value
    }
    if adapter.whole:
        arguments["modules_to_save"] = literal(adapter.whole)
        arguments |= {} if config.run.backend == "unsloth" else {"ensure_weight_tying": "True"}
    words = ""
    if known.learned:
        marks = next(iter(known.learned.values()))  # the same in all layers
        words = "    # Tokens of the chat template that the model may not know: their embeddings are learned as well.\n"
        words += f"    marks = {_ids(marks)}\n"
        layers = ", ".join(f"{literal(layer)}: marks" for layer in known.learned)
        arguments["trainable_token_indices"] = f"{{{layers}}}"
    elif known.learned is None:
        words = (
            "    # Not yet here: trainable_token_indices, the marks of the chat template that are new to the model.\n"
        )
    if config.run.backend != "unsloth":
        arguments["task_type"] = '"CAUSAL_LM"'
        return [words + call("LoraConfig", arguments, "peft_config = ", 1)]
    arguments |= {
        "use_gradient_checkpointing": _checkpointing(config),
        "random_state": "SEED",
        "max_seq_length": literal(config.training.max_length),
    }
    return [words + call("FastLanguageModel.get_peft_model", arguments, "model = ", 1, first=("model",))]


def _ids(marks: list[int]) -> str:
    following = marks == list(range(marks[0], marks[0] + len(marks)))
    return f"list(range({marks[0]}, {marks[-1] + 1}))" if following and len(marks) > 3 else literal(marks, 12, 1)


def _arguments(config: RunConfig, known: Known) -> str:
    given = sft_config(config, known)
    rendered = {name: literal(value, 8 + len(name) + 1, 2) for name, value in given.items()}
    rendered["output_dir"], rendered["seed"] = f'str(HERE / "{CHECKPOINTS}")', "SEED"
    remarks = dict(REMARKS)
    if known.precision != "fp32":
        del remarks["bf16"]
    if known.marks and config.method == "lora":
        remarks["loss_type"] = "chunked_nll, the default, would not see the marks that the adapter learns"
    apart = "    # DeepFabric hears of a run through dfgui alone.\n" if "deepfabric" in config.trackers else ""
    return apart + call("SFTConfig", rendered, "args = ", 1, remarks)


def _trainer(config: RunConfig, known: Known, own: list[Own]) -> str:
    arguments = {"model": "model", "args": "args", "train_dataset": "train_dataset"}
    arguments |= {"eval_dataset": "eval_dataset"} if known.evaluates else {}
    arguments["processing_class"] = "tokenizer"
    if config.method == "lora" and not known.adapter and config.run.backend != "unsloth":
        arguments["peft_config"] = "peft_config"
    before = ""
    stopping = config.early_stopping
    if stopping.patience and known.evaluates:
        after = {"early_stopping_patience": literal(stopping.patience)}
        after |= {"early_stopping_threshold": literal(stopping.threshold)} if stopping.threshold else {}
        before = call("EarlyStoppingCallback", after, "stopping = ", 1) + "\n"
        arguments["callbacks"] = "[stopping]"
    made = call("SFTTrainer", arguments, "trainer = ", 1)
    heard = [own_callbacks.added(one, one.use in known.plain) for one in own]
    return "\n".join([before + made, *heard, "    trainer.train()"])


def _end(config: RunConfig) -> str:
    log = f'(HERE / "{LOG}").write_text(json.dumps(trainer.state.log_history, indent=2))'
    saved = f'    trainer.save_model(str(HERE / "{TRAINED}"))'
    if config.run.placement == "accelerate":
        return f"{saved}\n    if trainer.is_world_process_zero():\n        {log}"
    return f"{saved}\n    {log}"


def _room() -> str:
    return '''def make_room(model, tokenizer):
    """Rows in the embeddings for tokens that are new to the model. Each begins as the mean of all others."""
    count = model.get_input_embeddings().num_embeddings
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            layer.weight[count:] = layer.weight[:count].mean(dim=0)'''
