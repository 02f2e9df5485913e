"""The one way a model answers here, for the chat page and for scores: greedy, so that the same question has one answer.

    answer = generate(model, tokenizer, [{"role": "user", "content": "Weather in Oslo?"}], tools)
    "".join(answer)  # piece by piece; then answer.cut says whether it ended for want of room
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'

Marks such as <tool_call> stay in the text whatever the tokenizer calls special; only what ends the turn is left out.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from dfgui.data import template
from dfgui.data.template import prompt_ids
from dfgui.errors import UserError

Prompt = tuple[list[dict], list[dict]]  # messages, tools
Progress = Callable[[int, int], None]  # answers done, answers in all

LONGEST = 256  # tokens of an answer, unless somebody asks for more
INCOMPLETE = "\ufffd"  # what half of a multi-byte character decodes to


def generate(
    model: Any,
    tokenizer: Any,
    messages: list[dict],
    tools: list[dict],
    max_new_tokens: int = LONGEST,
    stop: Callable[[], bool] | None = None,
) -> "Answer":
    """The answer as it comes; it ends with the turn, at `max_new_tokens`, or soon after `stop()` is true.

    Leaving the loop early ends the generation too. Raises UserError when the prompt fills the model's context.
    """
    ids = prompt_ids(messages, tools, tokenizer)
    writer = Writer(model, tokenizer)
    limit = min(max_new_tokens, writer.room(ids))
    return Answer(_growing(writer, ids, limit, stop or (lambda: False)), limit, tokenizer)


def generate_all(
    model: Any,
    tokenizer: Any,
    prompts: list[Prompt],
    max_new_tokens: int = LONGEST,
    batch_size: int = 8,
    progress: Progress | None = None,
) -> list[tuple[str, bool]]:
    """The whole answers to many prompts, several at a time: the same text as one by one, sooner. True: it was cut."""
    rows = [prompt_ids(messages, tools, tokenizer) for messages, tools in prompts]
    writer = Writer(model, tokenizer)
    answers = [("", False)] * len(rows)
    done = 0
    for batch in _batches(rows, batch_size, context(model) - max_new_tokens):
        limit = min([max_new_tokens, *(writer.room(rows[index]) for index in batch)])
        for index, ids in zip(batch, writer.write([rows[index] for index in batch], limit), strict=True):
            answers[index] = decode(tokenizer, ids), len(ids) == limit
        done += len(batch)
        if progress:
            progress(done, len(rows))
    return answers


def context(model: Any) -> int:
    """Tokens the model can read and write together; a very large number if its config does not say."""
    return getattr(model.config.get_text_config(), "max_position_embeddings", None) or 1 << 30


def ends(generation: Any, tokenizer: Any) -> list[int]:
    """Every token that ends an answer: those of a generation config, the tokenizer's, and its chat template's."""
    known = generation.eos_token_id
    ids = {*(known if isinstance(known, list) else [known]), tokenizer.eos_token_id, _end_of_turn(tokenizer)}
    return sorted(ids - {None})


def decode(tokenizer: Any, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)


def _end_of_turn(tokenizer: Any) -> int | None:
    """<|im_end|> for qwen, <|eot_id|> for llama, ...: the mark that follows an assistant's words."""
    probe = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    try:
        text = template.rendered(probe, [], tokenizer, template.original(tokenizer))
    except UserError:  # no template, or one that says nothing here
        return None
    after = tokenizer(text.rpartition("Hello!")[2], add_special_tokens=False)["input_ids"]
    return next((token for token in after if token in tokenizer.added_tokens_decoder), None)


def _batches(rows: list[list[int]], size: int, roomy: int) -> Iterator[list[int]]:
    """Indices of rows of like length together; a row longer than `roomy` alone, since its answer ends sooner."""
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    short = [index for index in order if len(rows[index]) <= roomy]
    for start in range(0, len(short), size):
        yield short[start : start + size]
    for index in order[len(short) :]:
        yield [index]


def _growing(writer: "Writer", ids: list[int], limit: int, stop: Callable[[], bool]) -> Iterator[list[int]]:
    """The answer's tokens so far, again and again as it grows. transformers generates in a thread of ours."""
    news: queue.SimpleQueue = queue.SimpleQueue()
    left = threading.Event()

    def watch(so_far: list[int]) -> bool:
        news.put(so_far)
        return left.is_set() or stop()

    def work() -> None:
        try:
            writer.write([ids], limit, watch)
            news.put(None)
        except BaseException as error:  # told to the reader, in whose thread it belongs
            news.put(error)

    thread = threading.Thread(target=work, name="dfgui-generate", daemon=True)
    thread.start()
    try:
        while (new := news.get()) is not None:
            if isinstance(new, BaseException):
                raise new
            yield new
    finally:
        left.set()
        thread.join()


class Answer:
    """Pieces of an answer as they are written; at the end `cut` says whether it had to stop at its longest."""

    def __init__(self, growing: Iterator[list[int]], limit: int, tokenizer: Any):
        self.cut = False
        self._growing = growing
        self._limit = limit
        self._tokenizer = tokenizer

    def __iter__(self) -> Iterator[str]:
        """What is new in each longer answer. A character that still misses bytes waits for them."""
        shown = text = ""
        with contextlib.closing(self._growing):  # type: ignore[type-var]
            for ids in self._growing:
                self.cut = len(ids) == self._limit
                text = decode(self._tokenizer, ids)
                whole = text.rstrip(INCOMPLETE)
                if whole.startswith(shown) and len(whole) > len(shown):
                    yield whole[len(shown) :]
                    shown = whole
        if text != shown:
            yield text[len(shown) :]


class Writer:
    """A model that writes greedily, and what it must know of its tokenizer."""

    def __init__(self, model: Any, tokenizer: Any):
        self.model = model
        self.ends = ends(model.generation_config, tokenizer)
        self.padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self.ends[0]

    def room(self, ids: list[int]) -> int:
        """Tokens that an answer to this prompt may have. Raises UserError when there is room for none."""
        limit = context(self.model)
        if len(ids) >= limit:
            raise UserError(
                f"The prompt has {len(ids)} tokens.",
                f"This model reads at most {limit}, its answer included.",
                "Shorten the conversation, or leave out tools it does not need.",
            )
        return limit - len(ids)

    def write(
        self, prompts: list[list[int]], limit: int, watch: Callable[[list[int]], bool] | None = None
    ) -> list[list[int]]:
        """The answer to each prompt, at most `limit` tokens. `watch(first answer so far)` true stops them."""
        import torch
        from transformers import GenerationConfig

        longest = max(len(ids) for ids in prompts)
        padded = [[self.padding] * (longest - len(ids)) + ids for ids in prompts]
        seen = [[0] * (longest - len(ids)) + [1] * len(ids) for ids in prompts]
        greedy = GenerationConfig(
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,  # a model's own penalty would punish copying arguments from the question
            use_cache=True,
            max_new_tokens=limit,
            eos_token_id=self.ends,
            pad_token_id=self.padding,
        )
        watching = [lambda ids, scores: watch(self._answer(ids[0, longest:]))] if watch else []
        with answering(self.model), torch.inference_mode():
            written = self.model.generate(
                input_ids=torch.tensor(padded, device=self.model.device),
                attention_mask=torch.tensor(seen, device=self.model.device),
                generation_config=greedy,
                stopping_criteria=watching,
            )
        return [self._answer(ids) for ids in written[:, longest:]]

    def _answer(self, ids: Any) -> list[int]:
        """The tokens before the first that ends the turn."""
        tokens = ids.tolist()
        return tokens[: next((place for place, token in enumerate(tokens) if token in self.ends), None)]


@contextlib.contextmanager
def answering(model: Any) -> Iterator[None]:
    """Evaluation mode for a while; what was training goes on training."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
