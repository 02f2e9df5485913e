"""The lock under which transformers, trl and peft are first imported.

They fill their namespaces lazily, and two threads that do so at once break each other: "cannot import name 'set_seed'
from 'transformers'". Whoever may be the first to import them in this process holds the lock while doing so:

    with imports.one_at_a_time:
        from transformers import AutoTokenizer
"""

import threading

one_at_a_time = threading.RLock()


def for_loading() -> None:
    """The first import of all that loading, merging and asking a model needs."""
    with one_at_a_time:
        import torch  # noqa: F401
        from peft import PeftModel, get_peft_model_state_dict  # noqa: F401
        from peft.tuners.tuners_utils import BaseTunerLayer  # noqa: F401
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401
