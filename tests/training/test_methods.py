"""A method chooses which weights learn; what it cannot have chosen so is refused in words."""

import pytest
import torch

from dfgui.config import RunConfig
from dfgui.errors import UserError
from dfgui.training import methods


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = torch.nn.Embedding(4, 2)
        self.last = torch.nn.Linear(2, 4)

    def get_input_embeddings(self):
        return self.embeddings


def only(name):
    """A choose(model) that leaves one layer on."""

    def choose(model):
        for path, weight in model.named_parameters():
            weight.requires_grad_(path.startswith(name))

    return choose


@pytest.fixture
def chosen(monkeypatch):
    def choose(name, marks=()):
        monkeypatch.setattr(methods, "chooser", lambda method: only(name))
        model = Model()
        methods.choose("mine", model, list(marks))
        return [path for path, weight in model.named_parameters() if weight.requires_grad]

    return choose


def test_what_it_leaves_on_learns(chosen):
    assert chosen("last") == ["last.weight", "last.bias"]


def test_one_that_leaves_nothing_on_is_refused(chosen):
    with pytest.raises(UserError, match="Nothing learns with mine"):
        chosen("elsewhere")


def test_marks_that_are_new_to_the_model_have_to_learn(chosen):
    assert chosen("embeddings", marks=[3]) == ["embeddings.weight"]
    with pytest.raises(UserError) as caught:
        chosen("last", marks=[3])
    assert "a template whose marks the model knows" in caught.value.do
    assert caught.value.field == "model.chat_template"


def test_lora_and_full_leave_the_model_to_the_backends():
    assert methods.chooser("lora") is methods.chooser("full") is None


def test_the_memory_of_another_method_is_that_of_a_full_fine_tune():
    run = RunConfig(method="lora")
    assert methods.as_loaded(run) is run
    assert methods.as_loaded(run.model_copy(update={"method": "mine"})).method == "full"
