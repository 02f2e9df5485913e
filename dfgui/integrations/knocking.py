"""Whether a service lets a key in: one question to each, answered in one sentence within KNOCK_SECONDS.

await knock("hub", settings)  ->  (True, "The Hub knows this token: it is ada's.")
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx

from dfgui.settings import Settings

KNOCK_SECONDS = 8.0

Answer = tuple[bool, str]  # whether it works, and the sentence


async def knock(service: str, settings: Settings) -> Answer:
    """Asks hub, wandb or deepfabric with the keys of these settings. Says nothing that was not meant for a page."""
    title, url, ask = SERVICES[service]
    host = urlsplit(url(settings)).netloc
    try:
        with anyio.fail_after(KNOCK_SECONDS):
            async with httpx.AsyncClient(timeout=KNOCK_SECONDS) as http:
                return await ask(http, settings)
    except (TimeoutError, httpx.TimeoutException):
        return False, f"{title} did not answer within {KNOCK_SECONDS:g} s. Try again, or check the connection."
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return False, f"{title} cannot be reached at {host} ({type(error).__name__}). Check the connection."
    except (ValueError, KeyError, TypeError, AttributeError):
        return False, f"{host} answers, but not as {title} does. Check the address."


async def _hub(http: httpx.AsyncClient, settings: Settings) -> Answer:
    from huggingface_hub import get_token

    if not (token := settings.hub_token or get_token()):
        return False, "There is no token to test. Give one, or set HF_TOKEN."
    answer = await http.get(f"{settings.hub_url}/api/whoami-v2", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 200:
        return True, f"The Hub knows this token: it is {answer.json()['name']}'s."
    return _refused(answer, "The Hub does not know this token. Make one at huggingface.co/settings/tokens.")


async def _wandb(http: httpx.AsyncClient, settings: Settings) -> Answer:
    own = settings.wandb
    if not own.key:
        return False, "There is no key to test. Give one, or set WANDB_API_KEY."
    question = {"query": "query Viewer { viewer { username } }"}
    answer = await http.post(f"{own.url}/graphql", json=question, auth=("api", own.key))
    refusal = "W&B does not know this key. Copy yours from wandb.ai/authorize."
    if answer.status_code != 200:
        return _refused(answer, refusal)
    viewer = answer.json()["data"]["viewer"]
    return (True, f"W&B knows this key: it is {viewer['username']}'s.") if viewer else (False, refusal)


async def _deepfabric(http: httpx.AsyncClient, settings: Settings) -> Answer:
    own = settings.deepfabric
    if not own.key:
        return False, "There is no key to test. Give one here; a key of the environment stays with its own endpoint."
    answer = await http.get(f"{own.url}/api/v1/auth/me", headers={"Authorization": f"Bearer {own.key}"})
    if answer.status_code != 200:
        return _refused(answer, "DeepFabric does not take this key. Make one in its settings.")
    who = answer.json().get("email") or "somebody"
    if not own.pipeline_id:
        return False, f"DeepFabric takes this key ({who}), but there is no pipeline id: give one as well."
    return True, f"DeepFabric takes this key ({who}). The pipeline id is checked with the first event of a run."


def _refused(answer: httpx.Response, words: str) -> Answer:
    if answer.status_code in (401, 403):
        return False, words
    return False, f"{answer.url.host} answered {answer.status_code}. Try again, or check the address."


SERVICES: dict[str, tuple[str, Callable[[Settings], str], Callable[[httpx.AsyncClient, Settings], Awaitable[Any]]]] = {
    "hub": ("The Hub", lambda settings: settings.hub_url, _hub),
    "wandb": ("W&B", lambda settings: settings.wandb.url, _wandb),
    "deepfabric": ("DeepFabric", lambda settings: settings.deepfabric.url, _deepfabric),
}
