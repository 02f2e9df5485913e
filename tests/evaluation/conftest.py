import pytest

from tests.tiny import tiny_model, tiny_tokenizer


@pytest.fixture(scope="package", autouse=True)
def one_thread():
    """Models this small are slower with more, and much slower where other work shares the cores."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tokenizer():
    return tiny_tokenizer()


@pytest.fixture(scope="session")
def model(tokenizer):
    return tiny_model(tokenizer)
