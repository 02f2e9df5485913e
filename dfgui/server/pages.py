"""The server's own small pages: logging in, setting up a Space, and refusals. They need neither Gradio nor scripts."""

from html import escape

from starlette.responses import HTMLResponse, JSONResponse, Response

from dfgui.errors import UserError

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
main { width: min(24rem, 90vw); padding: 2rem 0; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; }
label { display: block; margin: 0 0 .75rem; }
input, button, .button { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .75rem; margin-top: .25rem;
  border: 1px solid GrayText; border-radius: .5rem; background: Field; color: FieldText; }
button, .button { display: block; text-align: center; text-decoration: none; cursor: pointer; font-weight: 600;
  border: 0; background: CanvasText; color: Canvas; }
code { background: color-mix(in srgb, CanvasText 10%, Canvas); padding: .1em .3em; border-radius: .25em; }
.trouble { border-left: 3px solid #c62828; padding-left: .75rem; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"


def login(prefix: str, following: str, password: bool, sign_in: bool, trouble: str = "") -> str:
    """Asks who is there; afterwards the visitor goes on to `following`, a path of ours."""
    parts = ["<h1>dfgui</h1>"]
    if trouble:
        parts.append(f'<p class="trouble" role="alert">{escape(trouble)}</p>')
    if password:
        parts.append(_form(prefix, following))
    if sign_in:
        # In a tab of its own: Hugging Face does not let its sign-in be framed.
        parts.append(
            f'<p><a class="button" target="_blank" href="{escape(prefix)}/login/huggingface">'
            "Sign in with Hugging Face</a></p><p>It opens in a new tab, and dfgui goes on there.</p>"
        )
    return page("Log in to dfgui", "".join(parts))


def _form(prefix: str, following: str) -> str:
    return f"""
    <form method="post" action="{escape(prefix)}/login">
      <input type="hidden" name="next" value="{escape(following)}">
      <label>Name <input name="username" autocomplete="username" required autofocus></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
      <button type="submit">Log in</button>
    </form>"""


def setup(missing: list[str]) -> str:
    """What a Space shows until its owner has said who may come in."""
    names = " and ".join(f"<code>{escape(name)}</code>" for name in missing)
    return page(
        "Set up this Space",
        f"""<h1>This Space needs a login</h1>
        <p>dfgui trains on this Space's hardware, so it lets in nobody until you say who. Not set yet: {names}.</p>
        <ol><li>Open the Space's <b>Settings</b>, then <b>Variables and secrets</b>.</li>
        <li>Add two secrets: <code>DFGUI_USERNAME</code> and <code>DFGUI_PASSWORD</code>.</li>
        <li>The Space restarts by itself and asks for them.</li></ol>
        <p>Or put <code>hf_oauth: true</code> into the front matter of its README: then you sign in with Hugging Face,
        and so can the people named in the variable <code>DFGUI_MEMBERS</code>.</p>""",
    )


def page(title: str, body: str) -> str:
    """A whole page around `body`, which is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, {"content-security-policy": POLICY, "cache-control": "no-store"})


def refusal(error: UserError, status: int, as_html: bool) -> Response:
    """The three sentences, for a person or for a program."""
    if not as_html:
        return JSONResponse({"error": error.to_dict()}, status)
    words = "".join(f"<p>{escape(sentence)}</p>" for sentence in (error.why, error.do))
    return html(page(error.what, f"<h1>{escape(error.what)}</h1>{words}"), status)
