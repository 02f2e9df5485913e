"""Answers of a run's checkpoints, and of the model it began from: one to read, or all held-out calls counted."""

import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dfgui.actions.checkpoints import saved
from dfgui.actions.runs import checked
from dfgui.errors import UserError
from dfgui.settings import Settings
from dfgui.store import Store
from dfgui.store.insistence import insist
from dfgui.store.scores import BASE

if TYPE_CHECKING:
    from dfgui.evaluation.generate import Answer


def reply(
    settings: Settings,
    run: str,
    step: int,
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]],
    stop: Callable[[], bool] | None = None,
) -> "Answer":
    """The answer of a checkpoint (or of the base model at step 0) to `messages`, greedy, piece by piece."""
    from dfgui.evaluation import generate

    model, tokenizer = _ready(settings, run, step)
    return generate.generate(model, tokenizer, messages, tools, stop=stop)


def parse_reply(settings: Settings, run: str, text: str, tools: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What an answer says and calls: {content, calls: [{name, arguments}], broken, reasoning}."""
    from dfgui.data import replies

    _, tokenizer = _ready(settings, run, BASE)
    return asdict(replies.parse(text, tokenizer, tools))


def _ready(settings: Settings, run: str, step: int) -> tuple[Any, Any]:
    from dfgui.models import base, loaded

    _require_a_free_gpu(settings)
    if step == BASE:
        row = Store(settings.store_path).runs.get(checked(run))
        if "base" not in row["facts"]:
            raise UserError(
                "The model is not loaded yet.", "The run has not reached it.", "Wait until training starts."
            )
        return loaded.ready(base.here(row, settings), None, row["facts"]["dtype"], _tokenizer_of(settings, run))
    found = saved(settings, run, step)
    with Store(settings.store_path).holds.hold(run, step):
        return loaded.ready(base.here(found.run, settings), str(found.folder), found.dtype)


def _tokenizer_of(settings: Settings, run: str) -> str | None:
    """The folder of the tokenizer that a run trains with, and its chat template; None for runs of before it was kept.

    A checkpoint has it as well, and comes home with a Space that was restarted.
    """
    folder = settings.run_folder(run)
    return next((str(place) for place in (folder / "tokenizer", *folder.glob("checkpoint-*")) if place.is_dir()), None)


def _require_a_free_gpu(settings: Settings) -> None:
    """Training comes first: an answer would take memory that the run counts on, and could end it."""
    from dfgui.models import hardware

    if hardware.measure().device != "cpu" and Store(settings.store_path).runs.active():
        raise UserError(
            "A run is training on the GPU.",
            "Answering now would take the memory that it counts on.",
            "Wait until it has ended, or stop it.",
        )


def held_out(settings: Settings, run: str) -> list[dict[str, Any]]:
    """The rows the run never trained on: [{row, messages, tools}]. Rows of plain text are left out."""
    return [
        {"row": number, "messages": conversation.messages, "tools": conversation.tools}
        for number, conversation in _held_out(settings, run)
        if conversation.messages
    ]


def _held_out(settings: Settings, run: str) -> list[tuple[int, Any]]:
    from dfgui.data import held_out

    try:
        return held_out.load(settings.run_folder(checked(run)))
    except FileNotFoundError as error:
        raise UserError(
            "The held-out rows are not known yet.",
            "A run writes them down once its dataset is tokenised.",
            "Wait until then, or choose another run.",
        ) from error


def score(settings: Settings, run: str, step: int) -> threading.Thread:
    """Counts, in the background, the held-out tool calls a checkpoint answers rightly; step 0 is the base model.

    Progress and result stand in the store's scores. Raises UserError when there is nothing to count.
    """
    from dfgui.evaluation import tool_calls

    questions = tool_calls.questions(_held_out(settings, run))
    if not questions:
        raise UserError(
            "There is no held-out tool call to count.",
            "The rows kept for evaluation call no tool.",
            "Hold out a larger share, or judge the answers on the Chat page.",
        )
    if step != BASE:
        saved(settings, run, step)
    scores = Store(settings.store_path).scores
    if any(one["step"] == step and one["state"] == "scoring" for one in scores.of(run)):
        raise UserError(
            "These calls are being counted already.", "Somebody else has asked for it.", "Wait for the result."
        )
    scores.begin(run, step, len(questions))
    thread = threading.Thread(target=_count, args=(settings, run, step, questions), name="dfgui-score", daemon=True)
    thread.start()
    return thread


def _count(settings: Settings, run: str, step: int, questions: list[Any]) -> None:
    from dfgui.evaluation import tool_calls
    from dfgui.training import failures

    scores = Store(settings.store_path).scores
    try:
        model, tokenizer = _ready(settings, run, step)
        result = tool_calls.score(model, tokenizer, questions, lambda done, _total: scores.advance(run, step, done))
        insist(lambda: scores.finish(run, step, result.right, [asdict(one) for one in result.results]))
    except BaseException as error:
        words = str(failures.explain(error))
        insist(lambda: scores.fail(run, step, words))
