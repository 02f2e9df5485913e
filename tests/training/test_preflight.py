"""Bad inputs: each gives one clear message, and no run."""

import gzip
import json
import shutil
import struct
from collections import namedtuple
from dataclasses import asdict
from functools import lru_cache

import pytest

from dfgui import actions, presets, settings
from dfgui.data import sources
from dfgui.errors import UserError
from dfgui.models import fitting, hardware, memory, rehearsal, shapes
from dfgui.recipe import nested, parse
from dfgui.store import Store
from dfgui.training import preflight
from dfgui.training.preflight import room

GOOD = json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]})
NO_ANSWER = json.dumps({"messages": [{"role": "user", "content": "Hi"}]})
NO_ROLE = json.dumps({"messages": [{"role": "narrator", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]})

FILES = {
    "an empty file": ("rows.jsonl", b"", "empty"),
    "broken JSON on line 7": ("rows.jsonl", "\n".join([GOOD] * 6 + ["{broken", GOOD]).encode(), "Line 7"),
    "a JSON list that does not end": ("rows.json", b'[{"text": "a"}, {"text": ', "not"),
    "a CSV without usable columns": ("rows.csv", b"colour,weight\nred,3\nblue,4\n", "colour"),
    "a row without an assistant turn": ("rows.jsonl", "\n".join([GOOD] * 3 + [NO_ANSWER]).encode(), "Row 4"),
    "an unknown role": ("rows.jsonl", "\n".join([GOOD, NO_ROLE]).encode(), "Row 2"),
    "rows that are no objects": ("rows.jsonl", b"1\n2\n3\n", "1"),
    "a file of another kind": ("rows.xlsx", b"PK\x03\x04", "xlsx"),
    "a picture called JSON": ("rows.jsonl", b"\x89PNG\r\n\x1a\n\x00\x00", "rows.jsonl"),
    "a parquet file that is none": ("rows.parquet", b"PAR1 not really", "rows.parquet"),
    "a torn gzip": ("rows.jsonl.gz", gzip.compress(GOOD.encode() * 50)[:40], "rows.jsonl.gz"),
}


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch):
    """No model is measured beside a test that does not ask for it."""
    monkeypatch.setattr(shapes, "_begin", lambda *asked: None)
    monkeypatch.setattr(shapes, "_found", {})


def refused(where, values, match):
    """The message, once it is sure that no run was queued."""
    with pytest.raises(UserError, match=match) as caught:
        actions.start(where, values)
    assert Store(where.store_path).runs.all() == []
    assert all(sentence and len(sentence) < 400 for sentence in caught.value.to_dict().values())
    return caught.value


def test_a_learning_rate_far_beyond_the_usual_is_to_be_looked_at_also_for_the_demo(where, values):
    def said(**training):
        notes = actions.launch_notes(where, {**values, "model": {"name": "demo"}, "training": training})
        return [note for note in notes if note["title"] == "Learning rate"]

    (note,) = said(learning_rate=2)
    assert note["kind"] == "warn" and "500 times the usual" in note["text"]
    assert note["changes"] == {"training.learning_rate": 4e-3}
    assert said(learning_rate=4e-3) == [] and said(learning_rate=0.5, optim="sgd") == []


@pytest.mark.parametrize("what", FILES)
def test_a_dataset_that_cannot_train_is_refused_by_name(where, values, tmp_path, what):
    name, content, match = FILES[what]
    (tmp_path / name).write_bytes(content)
    refused(where, {**values, "data": {"source": str(tmp_path / name)}}, match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"data": {"source": "nowhere.jsonl"}}, "does not exist"),
        ({"data": {"source": "empty"}}, "folder without a dataset"),
        ({"model": {"name": "nobody/nothing-at-all"}}, "nobody/nothing-at-all"),
        ({"model": {"name": "./no-such-folder"}}, "does not exist"),
        ({"training": {"learning_rate": 0}}, "more than 0"),
        ({"training": {"optim": "adamw_8bit"}}, "bitsandbytes"),
        ({"training": {"optim": "galore_adamw"}, "extra": {"optim_target_modules": "all-linear"}}, "galore-torch"),
        ({"training": {"activation_offloading": True}}, "no GPU"),
        ({"training": {"use_liger_kernel": True}}, "for a GPU"),
        ({"model": {"name": "demo", "attn_implementation": "flash_attention_2"}}, "flash-attn"),
        ({"training": {"precision": "fp16"}}, "fp16"),
        ({"data": {"source": "hf:nobody/nothing-at-all"}}, "nobody/nothing-at-all"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_work_here_is_refused(where, values, monkeypatch, tmp_path, change, match):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    refused(settings.load(home=where.home, jailed=False, offline=True), {**values, **change}, match)


def test_a_model_folder_without_weights_is_refused(where, values, model_folder, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(model_folder, bare)
    (bare / "model.safetensors").unlink()
    refused(where, {**values, "model": {"name": str(bare)}}, "safetensors")


def test_a_full_disk_is_refused_before_the_start(where, values, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 99, 1))
    assert "home" in refused(where, values, "too full").do


def test_a_file_outside_the_jail_is_refused_over_http(where, values):
    refused(settings.load(home=where.home), values, "--allow-folder")


@pytest.mark.parametrize("field", ["data.source", "data.eval_source", "model.name"])
def test_what_cannot_be_read_is_named_with_its_field(where, values, field):
    block, name = field.split(".")
    broken = {**values, block: {**values[block], name: "./not/there"}}
    assert refused(where, broken, "does not exist").field == field


@pytest.mark.parametrize(
    ("training", "count"),
    [
        ({"max_steps": 100, "save_steps": 30}, 4),
        ({"max_steps": 100, "save_steps": 30, "save_total_limit": 2}, 3),
        ({"max_steps": -1}, 2),
    ],
)
def test_the_disk_is_asked_for_every_checkpoint_that_stays(where, values, training, count):
    run = parse({**values, "method": "full", "training": {**values["training"], **training}})
    disk = next(note for note in preflight.notes(run, where) if note.title == "Disk")
    assert f"for {count} checkpoints" in disk.text


@pytest.mark.parametrize(
    ("strategy", "told"), [("bfd", ["Packing is slow on a CPU."]), ("wrapped", ["Wrapped rows read each other"])]
)
def test_what_packing_does_to_rows_or_to_time_is_warned_of(where, values, strategy, told):
    packed = {"packing": True, "packing_strategy": strategy}
    run = parse({**values, "training": {**values["training"], "learning_rate": 2e-4, **packed}})
    assert [note.title for note in preflight.notes(run, where) if note.kind == "warn"] == told


def test_notes_say_what_will_happen(where, values):
    notes = {note.title: note for note in preflight.notes(parse(values), where)}
    assert "40 rows" in notes["Data"].text and "10 %" in notes["Data"].text
    assert "4 x 1 = 4 rows per step" in notes["Batch"].text
    assert notes["Precision"].kind == "ok"


def test_a_step_of_more_rows_than_there_are_is_to_be_looked_at(where, values):
    def said(size, added, **data):
        training = {"per_device_train_batch_size": size, "gradient_accumulation_steps": added}
        run = parse({**values, "training": {**values["training"], **training}, "data": {**values["data"], **data}})
        return next(note for note in preflight.notes(run, where) if note.title == "Batch")

    note = said(4, 1024)  # of 40 rows, 4 of them held out
    assert note.kind == "warn"
    assert "4,096 rows per step. A step sees more rows than there are: 36 rows to train on." in note.text
    mended = {path.rpartition(".")[2]: value for path, value in note.changes.items()}
    assert said(mended["per_device_train_batch_size"], mended["gradient_accumulation_steps"]).kind == "ok"
    assert said(36, 1).kind == "ok" and said(37, 1).kind == "warn"
    assert said(37, 1, also=[values["data"]["source"]]).kind == "ok"  # twice as many rows


def test_several_gpus_are_better_given_a_process_each(where, values, monkeypatch):
    two = hardware.Hardware("cuda", "NVIDIA L4", True, 24_000_000_000, 2)
    monkeypatch.setattr(hardware, "look", lambda: two)
    told = {note.title: note for note in preflight.notes(parse(values), where)}
    assert (told["Several GPUs"].kind, told["Several GPUs"].field) == ("warn", "run.placement")
    apart = parse({**values, "run": {"placement": "accelerate"}})
    assert "Several GPUs" not in {note.title for note in preflight.notes(apart, where)}


def test_what_looks_wrong_in_the_rows_is_noted_and_can_be_left_out(where, values, tmp_path):
    again = json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "Hi"},
                                     {"role": "assistant", "content": "Hello."}]})  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([GOOD, again, GOOD, GOOD]))
    data = {**values["data"], "source": str(path)}
    notes = {note.title: note for note in preflight.notes(parse({**values, "data": data}), where)}
    assert notes["Turns in an unusual order"].kind == "warn"
    assert notes["Turns in an unusual order"].text == "1 row."
    assert notes["Same as a row before it"].text == "2 rows."
    data["leave_out"] = ["duplicate", "role_order"]
    notes = {note.title: note for note in preflight.notes(parse({**values, "data": data}), where)}
    assert "1 row can be read, 3 left out as you asked" in notes["Data"].text
    assert not notes.keys() & {"Turns in an unusual order", "Same as a row before it"}


@pytest.mark.parametrize(
    ("lines", "check"),
    [([GOOD, "{broken"], "unreadable"), ([GOOD, NO_ANSWER], "no_answer"), ([GOOD, NO_ROLE], "unreadable")],
)
def test_rows_that_stop_the_start_can_be_left_out(where, values, tmp_path, lines, check):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines))
    data = {**values["data"], "source": str(path), "leave_out": [check]}
    assert actions.start(where, {**values, "data": data})


def test_notes_name_every_trouble_at_once(where, values):
    broken = parse({**values, "data": {"source": "nowhere.jsonl"}, "training": {"optim": "adamw_8bit"}})
    assert len([note for note in preflight.notes(broken, where) if note.kind == "stop"]) == 2


def test_rows_are_looked_through_once_until_they_change(where, values, tmp_path, monkeypatch):
    opened = []
    real = sources.open_source
    monkeypatch.setattr(sources, "open_source", lambda *given: opened.append(given) or real(*given))
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{GOOD}\n" * 12)
    run = parse({**values, "data": {"source": str(file)}})
    faster = parse({**values, "data": {"source": str(file)}, "training": {"learning_rate": 1e-3}})
    assert preflight.notes(run, where)[0] == preflight.notes(faster, where)[0]
    assert len(opened) == 1
    file.write_text(f"{GOOD}\n" * 12 + NO_ANSWER)
    assert preflight.notes(run, where)[0].kind == "stop"
    assert len(opened) == 2


def test_a_note_that_stops_says_the_cure_and_the_field(where, values):
    notes = preflight.notes(parse({**values, "training": {"optim": "adamw_8bit"}}), where)
    (stop,) = [note for note in notes if note.kind == "stop"]
    assert "pip install" in stop.do
    assert stop.field == "training.optim"


# Memory


def shape(trained, tokens):
    """A model of 1 GB that trains so many bytes, and takes so many for each token of a batch."""
    step = memory.moment((0, tokens, 0), (0, 0, 0), (trained, 0, 0))
    less = memory.moment((0, tokens // 4, 0), (0, 0, 0), (trained, 0, 0))
    return memory.Shape(10**9, 10**9, [memory.Tensors((trained // 4,), 4)], False, [step], [less], [less])


@pytest.fixture
def on_a_card(monkeypatch):
    """An NVIDIA card with 16 GB of which so many are free, and a model of so many bytes a token."""

    def there(free, tokens, trained=4000):
        card = hardware.Hardware("cuda", "NVIDIA T4", True, 16 * 10**9)
        monkeypatch.setattr(hardware, "look", lambda: card)
        monkeypatch.setattr(hardware, "free", lambda: free)
        monkeypatch.setattr(shapes, "known", lambda *asked, **how: shape(trained, tokens))

    return there


def of_memory(where, values, **training):
    run = parse({**values, "training": {**values["training"], "per_device_eval_batch_size": 1, **training}})
    (note,) = [note for note in preflight.notes(run, where) if note.title.startswith(("Memory", "The memory"))]
    return run, note


def test_memory_that_suffices_is_told_beside_what_is_free(where, values, on_a_card):
    on_a_card(15 * 10**9, 2_000_000)
    run, note = of_memory(where, values)
    total = room.estimate(run, where).total
    assert (note.kind, note.title, note.changes) == ("ok", "Memory", {})
    assert f"About {total / 1e9:.1f} GB of 15.0 GB free" in note.text


@pytest.mark.parametrize(("share", "title"), [(1.02, "Memory is tight"), (0.9, "Memory may run out")])
def test_memory_that_is_tight_is_warned_of_with_what_to_change(where, values, on_a_card, share, title):
    on_a_card(10**10, 16_000_000)
    total = room.estimate(parse(values), where).total
    on_a_card(int(share * total), 16_000_000)
    run, note = of_memory(where, values)
    assert (note.kind, note.title) == ("warn", title)
    assert note.changes == {"training.gradient_checkpointing": True}
    assert note.field == "training.gradient_checkpointing"
    better = room.estimate(fitting.changed(run, note.changes), where).total
    assert f"gradient checkpointing: {better / 1e9:.1f} GB" in note.do
    assert actions.start(where, values)


def test_far_more_than_the_device_has_is_refused_with_the_cure(where, values, on_a_card):
    on_a_card(15 * 10**9, 40_000_000)
    told = refused(where, values, "The memory is too small")
    assert "16.0 GB in all" in told.why and told.changes == {"training.gradient_checkpointing": True}


@pytest.fixture
def unlike(values, tmp_path):
    """A run of 40 rows, some of which are long; two to a batch, and what is left open is open."""
    file = tmp_path / "unlike.jsonl"
    turns = [("Count.", " ".join(map(str, range(120 if n % 4 == 0 else 2)))) for n in range(40)]
    rows = [[{"role": "user", "content": ask}, {"role": "assistant", "content": told}] for ask, told in turns]
    file.write_text("".join(json.dumps({"messages": each}) + "\n" for each in rows))
    left = {"gradient_checkpointing": "auto", "train_sampling_strategy": "auto", "per_device_train_batch_size": 2}
    return {**values, "data": {"source": str(file)}, "training": {**values["training"], **left, "max_length": 1024}}


def of_speed(where, values):
    return next((note for note in preflight.notes(parse(values), where) if note.title == "Speed"), None)


def test_what_is_left_open_is_told_before_the_start_with_a_click_that_pins_it(where, unlike, on_a_card):
    on_a_card(15 * 10**9, 10_000)
    note = of_speed(where, unlike)
    chosen = {"training.gradient_checkpointing": False, "training.train_sampling_strategy": "group_by_length"}
    assert (note.kind, note.pending, note.changes) == ("ok", False, chosen)
    assert "Gradient checkpointing off: without it the run takes about " in note.text
    assert "Order of rows group_by_length: " in note.text and "packed" not in note.text
    pinned = {**unlike, "training": {**unlike["training"], **{path[9:]: value for path, value in chosen.items()}}}
    assert of_speed(where, pinned) is None


def test_while_the_memory_is_not_known_checkpointing_is_not_decided(where, unlike, monkeypatch):
    monkeypatch.setattr(shapes, "known", lambda *asked, **how: None)
    note = of_speed(where, unlike)
    assert (note.kind, note.pending, note.changes) == ("tell", True, {})
    assert "Gradient checkpointing is decided once the memory is known." in note.text


def test_packing_is_proposed_where_flash_attention_reads_what_is_joined(where, unlike, on_a_card, monkeypatch):
    on_a_card(15 * 10**9, 10_000)
    monkeypatch.setattr(hardware, "has", lambda package: package == "flash_attn")
    assert "packed, 40 of them would fill " in of_speed(where, unlike).text


def test_packing_on_a_cpu_is_warned_of(where, values):
    run = parse({**values, "training": {**values["training"], "packing": True}})
    note = next(note for note in preflight.notes(run, where) if note.title.startswith("Packing is slow"))
    assert (note.kind, note.changes) == ("warn", {"training.packing": False})


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"backend": "unsloth"}, "Unsloth takes less"),
        ({"placement": "accelerate", "accelerate_config": "fsdp.yaml"}, "FSDP and DeepSpeed share it"),
    ],
)
def test_what_saves_more_than_is_counted_is_warned_of_and_not_refused(where, values, on_a_card, how, words):
    on_a_card(15 * 10**9, 40_000_000)
    (note,) = room.memory_if_known(parse({**values, "run": how}), where)
    assert note.kind == "warn" and words in note.text


def test_a_little_more_than_the_device_has_is_not_refused(where, values, on_a_card):
    on_a_card(15 * 10**9, 32_000_000)
    assert 16e9 < room.estimate(parse(values), where).total < 1.25 * 16e9
    assert actions.start(where, values)


def test_what_nothing_mends_says_so(where, values, on_a_card):
    on_a_card(10**9, 1000)
    _, note = of_memory(where, values)
    assert note.kind == "warn" and note.changes == {} and "smaller model" in note.do


def test_while_a_model_is_measured_the_note_is_pending_and_the_start_waits_for_nothing(where, values, monkeypatch):
    begun = []
    monkeypatch.setattr(shapes, "_begin", lambda *asked: begun.append(asked))
    assert actions.start(where, values) and begun == []
    note = next(note for note in preflight.notes(parse(values), where) if note.title == "Memory")
    assert (note.kind, note.pending, len(begun)) == ("tell", True, 1)
    assert note.to_dict()["pending"] is True


def test_a_model_that_cannot_be_measured_trains_all_the_same(where, values, monkeypatch):
    monkeypatch.setattr(shapes, "known", lambda *asked, **how: "The model cannot be measured: no such kind")
    note = next(note for note in preflight.notes(parse(values), where) if note.title == "Memory")
    assert (note.kind, note.pending) == ("tell", False) and "no such kind" in note.text
    assert actions.start(where, values)


def test_the_disk_is_asked_for_what_an_adapters_checkpoint_really_takes(where, values, on_a_card):
    on_a_card(15 * 10**9, 1000, trained=400_000_000)
    disk = next(note for note in preflight.notes(parse(values), where) if note.title == "Disk")
    assert "2 checkpoints of 1.2 GB" in disk.text


def test_a_run_keeps_its_estimate_and_the_most_it_has_taken(where, values, train, monkeypatch):
    monkeypatch.setattr(shapes, "known", lambda *asked, **how: shape(4000, 1000))
    row, _ = train(values)
    facts = row["facts"]
    expected = room.estimate(parse(values), where, longest=facts["longest"])
    assert facts["memory_estimate"] == expected.facts()
    assert facts["memory_estimate"]["total"] == sum(facts["memory_estimate"][part] for part in memory.PARTS)
    assert 0 < facts["memory_peak"]["resident"] < 2 * 10**9


def test_a_run_trains_without_an_estimate(train, values):
    row, _ = train(values)
    assert row["status"] == "finished" and "memory_estimate" not in row["facts"]


CARDS = {  # what each preset is made for, in GB; the demo's is this machine
    "16gb": ("NVIDIA RTX A4000", 16),
    "24gb": ("NVIDIA L4", 24),
    "48gb": ("NVIDIA L40S", 48),
    "full": ("NVIDIA L4", 24),
    "tools": ("NVIDIA L4", 24),
    "unsloth": ("NVIDIA L4", 24),
}


@pytest.fixture(scope="module")
def of_half_a_billion(tmp_path_factory):
    """A model of Qwen3's 0.6 B shape, as far as preflight looks: its config, and a file as long as its weights."""
    from transformers import Qwen3Config

    folder = tmp_path_factory.mktemp("half")
    sizes = {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "head_dim": 128}
    heads = {"num_attention_heads": 16, "num_key_value_heads": 8}
    Qwen3Config(**sizes, **heads, vocab_size=151_936, tie_word_embeddings=True).save_pretrained(folder)
    size = 1_200_000_000
    header = json.dumps({"weights": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size)  # of nothing: it takes no room on the disk
    return folder


@lru_cache
def measured(asked):
    """The shape of a model, measured here; several presets train the same."""
    return rehearsal.measured(memory.Asked(**json.loads(asked)))


@pytest.mark.parametrize("name", presets.PRESETS)
def test_a_preset_passes_on_the_machine_it_is_made_for(where, of_half_a_billion, monkeypatch, name):
    values = {"model.name": str(of_half_a_billion), "data.source": "demo"}
    here = {"bf16": False, "bitsandbytes": False}
    if name in CARDS:
        card, size = CARDS[name]
        monkeypatch.setattr(hardware, "look", lambda: hardware.Hardware("cuda", card, True, size * 10**9))
        monkeypatch.setattr(hardware, "free", lambda: int(0.95 * size * 10**9))
        monkeypatch.setattr(hardware, "has", lambda package: True)
        here = dict.fromkeys(("bf16", "bitsandbytes", "unsloth", "in_4bit"), True)
    asked, replaced = presets.apply(name, **here)
    assert replaced == []  # nothing is missing there
    run = parse(nested(values | asked))
    found = measured(json.dumps(asdict(shapes.asked_of(run, where))))
    monkeypatch.setattr(shapes, "known", lambda *asked, **how: found)
    notes = {note.title: note for note in preflight.notes(run, where)}
    assert [note for note in notes.values() if note.kind == "stop"] == []
    assert notes["Memory"].kind == "ok" and " free" in notes["Memory"].text
    preflight.require(run, where)
