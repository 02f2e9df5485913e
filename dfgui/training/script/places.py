"""What lies beside train.py, what it writes, and where the names that it uses come from."""

MODEL, ADAPTER, TOKENIZER = "model", "adapter", "tokenizer"  # folders that it reads
TRAIN, EVAL, RECIPE, ACCELERATE = "train.parquet", "eval.parquet", "run.yaml", "accelerate.yaml"
TRAINED, CHECKPOINTS, LOG = "trained", "checkpoints", "log_history.json"  # what it writes

METHOD = "method_{}"  # the module of a method that chooses what learns

FROM = {
    **dict.fromkeys(("json", "os", "torch"), ""),
    "Path": "pathlib",
    "Dataset": "datasets",
    "snapshot_download": "huggingface_hub",
    **dict.fromkeys(("LoraConfig", "PeftModel"), "peft"),
    **dict.fromkeys(("AutoModelForCausalLM", "AutoTokenizer", "BitsAndBytesConfig"), "transformers"),
    **dict.fromkeys(("EarlyStoppingCallback", "TrainerCallback", "set_seed"), "transformers"),
    **dict.fromkeys(("SFTConfig", "SFTTrainer"), "trl"),
}
