"""The lock under which transformers, trl and peft are first imported.

They fill their namespaces lazily, and two threads that do so at once break each other: "cannot import name 'set_seed'
from 'transformers'". Whoever may be the first to import them in this process holds the lock while doing so:

    with imports.one_at_a_time:
        from transformers import AutoTokenizer
"""

import threading

one_at_a_time = threading.RLock()
