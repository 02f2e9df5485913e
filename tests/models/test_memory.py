"""What a run takes is known from its model's config: exactly where tensors stay, closely where they come and go."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from types import SimpleNamespace

import pytest
import torch
from peft import get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, Trainer, TrainingArguments

from dfgui import config, settings
from dfgui.models import fastest, fitting, hardware, memory, optimisers, rehearsal, shapes, steps
from dfgui.models.hardware import Hardware
from dfgui.models.memory import Asked, Shape, Tensors
from dfgui.recipe import parse
from tests.tiny import tiny_tokenizer

SMALL = {
    "vocab_size": 600, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 6, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
MODELS = {
    "llama": {"tie_word_embeddings": False},
    "qwen3": {"tie_word_embeddings": True},
    "qwen3_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32},
}
LORA = config.Adapter(r=8).model_dump()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a model of some kind, with a config and nothing else."""

    def made(kind):
        place = tmp_path_factory.getbasetemp() / f"config-{kind}"
        AutoConfig.for_model(kind, **{**SMALL, **MODELS[kind]}).save_pretrained(place)
        return place

    return made


@pytest.fixture(scope="module")
def shape_of(folder):
    """The shape of a model of some kind, measured once."""
    known = {}

    def measured(kind, method="lora", **more):
        key = (kind, method, *more.items())
        if key not in known:
            known[key] = rehearsal.measured(asked(folder(kind), method, **more))
        return known[key]

    return measured


def asked(place, method="lora", **more):
    given = {"dtype": "float32", "precision": "fp32", **more}
    adapter = LORA if method == "lora" else {}
    return Asked(str(place), "", {"name": str(place)}, method, adapter, **given)


def real(place, method, dtype=torch.float32):
    """The same model with real weights, readied as TRL readies it."""
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(place), dtype=dtype)
    model.config.use_cache = False
    if method == "lora":
        model = get_peft_model(model, rehearsal.trl.peft_config(config.Adapter(**LORA), model, []))
    return model


def run_of(**training):
    given = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 1, "max_length": 512, **training}
    values = {"model": {"name": "demo"}, "data": {"source": "demo", "eval_fraction": 0}, "training": given}
    return parse(values)


def trained(model, loss, optim):
    """One real step by the optimiser that transformers makes of that name; returns it."""
    arguments = TrainingArguments(output_dir="unused", optim=optim, report_to="none", use_cpu=True)
    kind, given = Trainer.get_optimizer_cls_and_kwargs(arguments)
    optimiser = kind([one for one in model.parameters() if one.requires_grad], **given)
    ids = torch.arange(64).reshape(2, 32)
    loss(model, ids, torch.ones_like(ids)).backward()
    optimiser.step()
    return optimiser


def held(optimiser):
    return sum(one.nbytes for state in optimiser.state.values() for one in state.values() if torch.is_tensor(one))


@pytest.mark.parametrize("optim", ["adamw_torch_fused", "adafactor", "sgd", "rmsprop", "adagrad"])
@pytest.mark.parametrize(
    ("kind", "method"), [("llama", "full"), ("qwen3", "full"), ("qwen3", "lora"), ("llama", "lora")]
)
def test_weights_gradients_and_the_optimisers_state_are_exact(folder, shape_of, kind, method, optim):
    shape, model = shape_of(kind, method), real(folder(kind), method)
    optimiser = trained(model, rehearsal.partial(rehearsal._whole_loss, asked(folder(kind), method)), optim)
    learned = [one for one in model.parameters() if one.requires_grad]
    frozen = sum(one.nbytes for one in model.parameters() if not one.requires_grad)
    buffers = sum(one.nbytes for one in model.buffers())
    found = memory.estimate(shape, run_of(optim=optim, gradient_accumulation_steps=2)).parts
    assert found["weights"] == (frozen or sum(one.nbytes for one in learned)) + buffers
    assert found["adapter"] == (sum(one.nbytes for one in learned) if method == "lora" else 0)
    assert found["gradients"] == sum(one.grad.nbytes for one in learned)
    assert found["optimiser"] == held(optimiser)


def uneven(length):
    """The mask of three rows, one of which is half as long as the others."""
    mask = torch.ones(3, length, dtype=torch.long)
    mask[0, length // 2 :] = 0
    return mask


@pytest.mark.parametrize("mode", ["plain", "checkpointed", "evaluating"])
@pytest.mark.parametrize(
    ("kind", "method", "dtype", "precision"),
    [
        ("qwen3", "lora", "bfloat16", "bf16"),
        ("llama", "full", "float32", "bf16"),
        ("qwen3_moe", "full", "float32", "fp32"),
    ],
)
def test_the_highest_moment_of_a_real_step_is_foreseen_at_a_size_never_rehearsed(
    folder, shape_of, kind, method, dtype, precision, mode
):
    how = asked(folder(kind), method, dtype=dtype, precision=precision)
    shape, model = (
        shape_of(kind, method, dtype=dtype, precision=precision),
        real(folder(kind), method, getattr(torch, dtype)),
    )
    mask = uneven(384)
    ids = torch.randint(3, 600, mask.shape)
    alive = steps.Alive(model)
    steps.step(model, rehearsal.loss_of(how, model, []), ids, mask, mode, precision, alive)
    highest = max(total for total, _, _ in alive.line)
    moments = {"plain": shape.plain, "checkpointed": shape.checkpointed, "evaluating": shape.evaluating}[mode]
    foreseen = max(memory._at(one.whole, (ids.numel(), 384)) for one in moments)
    assert foreseen == pytest.approx(highest, rel=0.05)


def test_what_autograd_keeps_is_in_the_estimate(folder, shape_of):
    """Counted by another means: the tensors that are saved for the way back."""
    how = asked(folder("llama"), "full")
    model = real(folder("llama"), "full")
    own = {one.data_ptr() for one in model.parameters()}
    kept = {}

    def keep(tensor):
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    mask = uneven(384)
    ids = torch.randint(3, 600, mask.shape)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = rehearsal.loss_of(how, model, [])(model, ids, mask)
    assert loss.isfinite()
    rest = max(memory._at(one.rest, (ids.numel(), 384)) for one in shape_of("llama", "full").plain)
    assert sum(kept.values()) == pytest.approx(rest, rel=0.1)


def test_checkpointing_takes_less_and_longer_rows_more(shape_of):
    shape = shape_of("llama", "full")
    plain = memory.estimate(shape, run_of(gradient_checkpointing=False)).total
    checkpointed = memory.estimate(shape, run_of(gradient_checkpointing=True)).total
    assert checkpointed < plain
    assert memory.estimate(shape, run_of(gradient_checkpointing=False), longest=128).total < plain
    assert memory.estimate(shape, run_of(gradient_checkpointing=False), longest=5000).total == plain


def test_an_adapters_weights_are_16_bit_in_4_bit_training_and_the_last_layer_stays_whole(folder):
    shape = rehearsal.measured(asked(folder("llama"), dtype="bfloat16", precision="bf16", bits=4))
    linear = [(64, 64), (32, 64), (32, 64), (64, 64), (128, 64), (128, 64), (64, 128)]
    packed = 6 * sum(rehearsal.in_4bit(a * b) for a, b in linear)
    whole = 2 * (2 * 600 * 64 + 13 * 64)  # embeddings, the last layer, norms
    buffers = 4 * 16  # inverse frequencies, and as they were
    assert shape.weights == packed + whole + buffers
    assert {one.size for one in shape.trainable} == {2}


def test_in_8_bit_a_weight_takes_a_byte_and_a_row_four_more(folder):
    shape = rehearsal.measured(asked(folder("llama"), dtype="bfloat16", precision="bf16", bits=8))
    linear = [(64, 64), (32, 64), (32, 64), (64, 64), (128, 64), (128, 64), (64, 128)]
    packed = 6 * sum(a * b + 4 * a for a, b in linear)
    assert shape.weights == packed + 2 * (2 * 600 * 64 + 13 * 64) + 4 * 16


def test_a_base_that_somebody_has_quantised_is_counted_as_it_is_held(folder, tmp_path):
    saved = shutil.copytree(folder("llama"), tmp_path / "quantised")
    how = json.loads((saved / "config.json").read_text())
    how["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (saved / "config.json").write_text(json.dumps(how))
    as_it_is, asked_for = (
        rehearsal.measured(asked(place, dtype="bfloat16", precision="bf16", bits=bits))
        for place, bits in ((saved, None), (folder("llama"), 4))
    )
    assert as_it_is.weights == asked_for.weights


def test_nf4_with_double_quantisation_takes_little_more_than_half_a_byte():
    assert rehearsal.in_4bit(4096 * 4096) / 4096**2 == pytest.approx(0.5 + 1 / 64 + 4 / 64 / 256, rel=1e-3)


@pytest.mark.parametrize("optim", config.OPTIMIZERS)
def test_every_optimiser_is_known_or_said_not_to_be(shape_of, optim):
    values = run_of().model_dump()
    values["training"]["optim"] = optim
    values["extra"] = {"optim_target_modules": "all-linear"}
    found = memory.estimate(shape_of("llama"), config.RunConfig.model_validate(values))
    known = optimisers.state_bytes(optim, (64, 64), 4) is not None
    assert bool(found.unknown) != known
    low_rank = ("galore_torch", "apollo_torch", "lomo_optim")
    assert known == (config.OPTIMIZERS[optim] not in low_rank)


def test_8_bit_states_of_small_weights_and_of_embeddings_stay_in_32_bit():
    assert optimisers.state_bytes("adamw_8bit", (64, 63), 4) == 2 * 4 * 64 * 63
    assert optimisers.state_bytes("adamw_8bit", (64, 64), 4) == 2 * (64 * 64 + 4 * 16)
    assert optimisers.state_bytes("adamw_8bit", (600, 64), 4, embedding=True) == 2 * 4 * 600 * 64


# What to change


@pytest.fixture
def on_a_gpu(monkeypatch):
    monkeypatch.setattr(hardware, "look", lambda: Hardware("cuda", "NVIDIA L4", True, 24 * 10**9))
    monkeypatch.setattr(hardware, "has", lambda package: True)


def takes(shape, **more):
    """What tensors take: beside a tiny model all else is large."""
    return lambda run: memory.estimate(shape, run, **more).allocated


def test_what_makes_a_run_fit_keeps_the_rows_of_a_step(shape_of):
    shape = shape_of("llama", "full")
    run = run_of(gradient_checkpointing=False, per_device_train_batch_size=8, gradient_accumulation_steps=3)
    free = 0.6 * takes(shape)(run)
    found = fitting.suggestions(run, free, takes(shape))
    assert [one.words for one in found][:2] == ["gradient checkpointing", "batch 4 x 6"]
    for one in found:
        other = fitting.changed(run, one.changes)
        assert takes(shape)(other) == one.bytes <= free
        assert other.rows_per_step() == run.rows_per_step() == 24


def test_changes_are_added_up_where_none_is_enough(shape_of):
    shape = shape_of("llama", "full")
    run = run_of(gradient_checkpointing=False, per_device_train_batch_size=8, max_length=2048)
    smaller = {"gradient_checkpointing": True, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 8}
    least = takes(shape)(run_of(max_length=2048, **smaller))
    (one,) = fitting.suggestions(run, least, takes(shape))
    assert one.words == "gradient checkpointing and batch 1 x 8"
    assert one.bytes == least


def test_nothing_is_suggested_where_nothing_helps(shape_of):
    assert fitting.suggestions(run_of(), 1000, takes(shape_of("llama", "full"))) == []


def test_an_adapter_is_suggested_with_its_own_learning_rate(shape_of, on_a_gpu):
    full, lora = shape_of("llama", "full"), shape_of("llama", "lora")
    small = {"per_device_train_batch_size": 1, "max_length": 128, "optim": "adamw_8bit"}
    run = parse({**run_of(**small).model_dump(exclude={"training": {"learning_rate"}}), "method": "full"})

    def either(other):
        return memory.estimate(full if other.method == "full" else lora, other).allocated

    free = either(fitting.changed(run, {"method": "lora"}))
    (one,) = fitting.suggestions(run, free, either)
    assert one.words == "LoRA"
    assert one.changes == {"method": "lora", "training.learning_rate": config.LEARNING_RATES["lora"]}


def test_an_evaluation_may_take_most(shape_of):
    run = parse(
        run_of(per_device_eval_batch_size=512).model_dump() | {"data": {"source": "demo", "eval_fraction": 0.1}}
    )
    found = memory.estimate(shape_of("llama"), run)
    assert found.at == "an evaluation" and found.parts["gradients"] == 0


def test_packed_rows_are_one_long_one(shape_of):
    assert memory.tokens(run_of(packing=True), 4, longest=30) == (2048, 2048)
    assert memory.tokens(run_of(packing=True, packing_strategy="wrapped"), 4, longest=30) == (2048, 512)
    assert memory.tokens(run_of(), 4, longest=30) == (120, 30)


# Where it is known


def test_a_shape_is_measured_by_another_process_and_kept(folder, tmp_path, monkeypatch):
    place = folder("qwen3")
    tiny_tokenizer().save_pretrained(place)
    where = settings.load(home=tmp_path / "home", jailed=False)
    run = parse({"model": {"name": str(place)}, "data": {"source": "demo"}})
    monkeypatch.setattr(shapes, "_found", {})
    assert shapes.known(run, where, begin=False) is None
    begun = []
    monkeypatch.setattr(shapes.threading, "Thread", lambda **given: begun.append(given) or Now(**given))
    assert shapes.known(run, where) is None
    assert isinstance(shapes.known(run, where), Shape) and len(begun) == 1
    monkeypatch.setattr(shapes, "_found", {})
    monkeypatch.setattr(shapes, "measured", None)
    assert isinstance(shapes.known(run, where, begin=False), Shape)
    (place / "config.json").write_text((place / "config.json").read_text().replace("128", "256"))
    assert shapes.known(run, where, begin=False) is None


class Now:
    """A thread that does its work at once."""

    def __init__(self, target, args, **named):
        self.start = lambda: target(*args)


@pytest.mark.parametrize("content", ["{broken", '{"model_type": "no-such-model"}'])
def test_a_config_that_is_broken_is_a_reason_and_no_crash(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    found = shapes.measured(asked(tmp_path))
    assert isinstance(found, str) and found.startswith("The model cannot be measured: ")


def test_a_measurement_that_comes_to_no_end_is_given_up(folder, monkeypatch):
    monkeypatch.setattr(shapes, "SECONDS", 0)
    assert "came to no end" in shapes.measured(asked(folder("llama")))


def test_a_model_that_is_not_here_is_unknown_and_says_so(tmp_path):
    where = settings.load(home=tmp_path, jailed=False, offline=True)
    run = parse({"model": {"name": "nobody/nothing-at-all"}, "data": {"source": "demo"}})
    assert "config.json" in shapes.known(run, where)


def test_estimating_imports_nothing_heavy(shape_of):
    code = (
        "import json, sys; from dfgui.models import fastest, fitting, memory, shapes; from dfgui.recipe import parse\n"
        "shape = memory.shape_of(json.loads(sys.argv[1]))\n"
        "run = parse({'model': {'name': 'demo'}, 'data': {'source': 'demo'}})\n"
        "print(memory.estimate(shape, run).total, sorted({'torch', 'transformers', 'trl', 'peft'} & set(sys.modules)))"
    )
    shape = shape_of("llama")
    command = [sys.executable, "-c", code, json.dumps(asdict(shape))]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split(" ", 1)
    run = parse({"model": {"name": "demo"}, "data": {"source": "demo"}})
    assert int(said[0]) == memory.estimate(shape, run).total
    assert said[1].strip() == "[]"


def test_equal_weights_are_counted_together():
    assert Tensors((8, 4), 2, 3).bytes == 8 * 4 * 2 * 3


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("kind", ["llama", "qwen3", "qwen3_moe"])
@pytest.mark.parametrize(("batch", "length"), [(1, 256), (4, 1024), (1, 4096)])
def test_the_bound_of_a_config_is_above_what_was_measured(folder, shape_of, kind, method, batch, length):
    shape, how = shape_of(kind, method), AutoConfig.from_pretrained(folder(kind))
    run = run_of(gradient_checkpointing=False, per_device_train_batch_size=batch, max_length=length)
    moving = memory.training_step(shape, run)
    assert fastest.bound(how, run, shape.weights, length) > shape.weights + shape.trained + sum(moving.values())


def test_a_config_that_is_silent_about_its_layers_has_no_bound():
    known = {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 600, "num_attention_heads": 4}
    assert fastest.bound(SimpleNamespace(**known), run_of(), 1, 1) is None
    assert fastest.bound(SimpleNamespace(**known, intermediate_size=128), run_of(), 1, 1)
