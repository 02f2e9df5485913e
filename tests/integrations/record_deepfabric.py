"""Records what DeepFabric's own callback sends in a small training: fields and their kinds, no values.

Run by hand where deepfabric is installed beside the pinned packages, which its own pins do not allow everywhere:

    python -m tests.integrations.record_deepfabric > tests/integrations/deepfabric_wire.json

tests/training/test_deepfabric.py holds our events to that record.
"""

import json
import os
import sys
import tempfile
from typing import Any

from tests import platform

KINDS = {bool: "bool", int: "number", float: "number", str: "text", type(None): "null"}


def shape(asked: list[platform.Asked]) -> dict[str, Any]:
    """{event: {path, query, headers, agent, body}}; an event is run_start, log, eval, checkpoint or run_end."""
    found: dict[str, Any] = {}
    for one in asked:
        for event, body in _events(one.body):
            kinds = _kinds(body)
            old = found.get(event)
            found[event] = {
                "path": one.path,
                "query": sorted(one.query),
                "headers": {name: one.headers[name].split()[0] for name in ("authorization", "content-type")},
                "agent": one.headers["user-agent"].split()[0],
                "body": _joined(old["body"], kinds) if old else kinds,
            }
    return found


def _events(body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    if "metrics" in body:
        return [(entry["type"], entry) for entry in body["metrics"]]
    return [(body["event_type"], body)]


def _kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _kinds(inner) for name, inner in sorted(value.items())}
    return KINDS[type(value)]


def _joined(one: Any, other: Any) -> Any:
    """Both shapes laid over each other."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: _joined(one.get(name), other.get(name)) for name in sorted(one.keys() | other.keys())}
    kinds = {kind for kinds in (one, other) if kinds is not None for kind in kinds.split(" or ")}
    return " or ".join(sorted(kinds))


def train(folder: str, there: platform.Platform) -> None:
    """Four steps of a tiny model with DeepFabric's callback, as its documentation has it."""
    from datasets import Dataset
    from deepfabric.training import DeepFabricCallback
    from trl import SFTConfig, SFTTrainer

    from tests.tiny import tiny_model, tiny_tokenizer

    tokenizer = tiny_tokenizer()
    rows = Dataset.from_list([{"text": f"It is {n} degrees in Oslo."} for n in range(16)])
    schedule = {"max_steps": 4, "logging_steps": 1, "eval_strategy": "steps", "eval_steps": 2, "save_steps": 2}
    here = {"use_cpu": True, "bf16": False, "report_to": "none", "output_dir": folder}
    trainer = SFTTrainer(
        model=tiny_model(tokenizer),
        args=SFTConfig(**schedule, **here, per_device_train_batch_size=4),
        train_dataset=rows,
        eval_dataset=rows,
        processing_class=tokenizer,
    )
    own = DeepFabricCallback(trainer, api_key="secret-key", endpoint=there.url, pipeline_id="pipe-7")
    trainer.add_callback(own)
    trainer.train()
    own.sender.shutdown()


def main() -> None:
    os.environ |= {"DEEPFABRIC_TESTING": "True", "ANONYMIZED_TELEMETRY": "False", "DEEPFABRIC_NO_UPDATE_CHECK": "1"}
    out, sys.stdout = sys.stdout, sys.stderr
    with platform.serving() as there, tempfile.TemporaryDirectory() as folder:
        train(folder, there)
    from importlib.metadata import version

    print(json.dumps({"deepfabric": version("deepfabric"), "events": shape(there.asked)}, indent=1), file=out)


if __name__ == "__main__":
    main()
