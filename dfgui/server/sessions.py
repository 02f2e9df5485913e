"""Who is logged in: a signed cookie, so that a restart keeps people in and a changed password puts them out.

dfgui=BASE64({"user": "ada", "until": 1790000000}).SIGNATURE
"""

import base64
import hashlib
import hmac
import json
import time

COOKIE = "dfgui"
FRAMED = "-frame"
FRAME_COOKIE = COOKIE + FRAMED  # the same, kept by browsers that give a framed page cookies of its own (Partitioned)
SECONDS = 7 * 24 * 3600


class Sessions:
    """Signs and reads cookies. `secret` is what, when it changes, ends every session: the passwords."""

    def __init__(self, secret: str):
        self.key = hashlib.scrypt(secret.encode(), salt=b"dfgui session", n=2**14, r=8, p=1)

    def sign(self, seconds: int = SECONDS, **content: str) -> str:
        text = json.dumps({**content, "until": int(time.time()) + seconds})
        body = base64.urlsafe_b64encode(text.encode()).decode()
        return f"{body}.{self._signature(body)}"

    def read(self, cookie: str | None) -> dict | None:
        """What was signed, or None when the signature is not ours or its time is over."""
        body, _, signature = (cookie or "").partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return None
        content = json.loads(base64.urlsafe_b64decode(body))
        return content if content["until"] > time.time() else None

    def _signature(self, body: str) -> str:
        return hmac.new(self.key, body.encode(), hashlib.sha256).hexdigest()


def cookies(value: str, secure: bool, framed: bool, seconds: int = SECONDS, name: str = COOKIE) -> list[str]:
    """Set-Cookie headers. A page framed by another site gets its cookie only with SameSite=None, which needs Secure."""
    common = f"Path=/; HttpOnly; Max-Age={seconds}"
    plain = "SameSite=None; Secure" if framed and secure else "SameSite=Lax; Secure" if secure else "SameSite=Lax"
    found = [f"{name}={value}; {common}; {plain}"]
    if framed:
        found.append(f"{name}{FRAMED}={value}; {common}; SameSite=None; Secure; Partitioned")
    return found
