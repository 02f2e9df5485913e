"""The offline demo: a tiny pretrained base model and a tool-calling dataset of our own, both shipped with the package.

BASE  a folder that AutoModelForCausalLM and AutoTokenizer load     ROWS  a JSONL file in DeepFabric's format
"""

from pathlib import Path

BASE = Path(__file__).parent / "base"
ROWS = Path(__file__).parent / "rows.jsonl"
