"""Every address that the app serves, asked by those who may not: nobody signed in, another site's page, another name.

The addresses are the running app's own. One that is not listed here fails: say whether the page uses it.
"""

import re

import pytest

WITHOUT_A_LOGIN = "/login /login/ /logout /gradio_api/startup-events".split()
USED = """
/ /config /config/ /openapi.json /manifest.json /robots.txt /theme.css /favicon.ico /svelte/{path:path}
/static/{path:path} /assets/{path:path} /connections /connections/test /push /push/{number}
/download/{address:path} /files/{address:path}
/gradio_api/user /gradio_api/login_check /gradio_api/token /gradio_api/app_id /gradio_api/info
/gradio_api/openapi.json /gradio_api/theme.css /gradio_api/heartbeat/{session_hash} /gradio_api/file={path_or_url:path}
/gradio_api/run/{api_name} /gradio_api/api/{api_name} /gradio_api/call/{api_name} /gradio_api/call/v2/{api_name}
/gradio_api/call/{api_name}/{event_id} /gradio_api/call/v2/{api_name}/{event_id} /gradio_api/queue/join
/gradio_api/queue/data /gradio_api/queue/status /gradio_api/cancel /gradio_api/reset /gradio_api/component_server
/gradio_api/upload /gradio_api/upload_progress
""".split()
OFF = """
/gradio_api/proxy={rest:path} /gradio_api/file={rest:elsewhere} /gradio_api/file/{rest:path}
/gradio_api/process_recording /gradio_api/stream/{rest:path} /gradio_api/custom_component/{rest:path}
/gradio_api/dev/reload /gradio_api/deep_link /gradio_api/proxy={url_path:path} /gradio_api/file/{path:path}
/gradio_api/stream/{event_id} /gradio_api/stream/{event_id}/close
/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
/gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
/gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
/gradio_api/custom_component/{id}/{environment}/{type}/{file_name}
/gradio_api/runs /monitoring /monitoring/summary /monitoring/{key} /pwa_icon /pwa_icon/{size}
/gradio_api/vibe-edit /gradio_api/undo-vibe-edit /gradio_api/vibe-code /gradio_api/vibe-starter-queries
""".split()
UPLOADS = ("/gradio_api/upload",)
VALUES = {"url_path": "http://127.0.0.1:1/", "component_id": "1", "size": "1", "rest": "http://127.0.0.1:1/"}
BODIES = {"vibe-edit": {"prompt": "x"}, "vibe-code": {"code": "x"}, "undo-vibe-edit": {"hash": "x"}}


def listed(path):
    return path if path in (*WITHOUT_A_LOGIN, *USED, *OFF) else path.rstrip("/")


def url(path):
    """A declared path with something for each of its parameters."""
    return re.sub(r"{(\w+)(:\w+)?}", lambda found: VALUES.get(found[1], "x"), path)


def ask(client, method, path, **options):
    """The answer's head alone: some have no end."""
    with client.stream(method, url(path), **options) as answer:
        return answer


def answers(addresses, client, **options):
    """{(method, path): status} of all that is not open to everybody; / shows a stranger the login."""
    asked = [(method, path) for method, path in addresses if path not in ("/", *WITHOUT_A_LOGIN)]
    return {(method, path): ask(client, method, path, **options).status_code for method, path in asked}


def others(found, status):
    return {where: got for where, got in found.items() if got != status}


def test_every_address_of_the_app_is_known_here(addresses):
    assert len(addresses) > 80
    assert {path for _, path in addresses if listed(path) not in (*WITHOUT_A_LOGIN, *USED, *OFF)} == set()


def test_without_a_login_none_answers(addresses, stranger):
    assert others(answers(addresses, stranger), 401) == {}
    assert "gradio" not in stranger.get("/").text


def test_with_a_cookie_that_is_none_none_answers(addresses, stranger, signed):
    cookies = {
        "forged": signed("ada")[:-4] + "0000",
        "expired": signed("ada", seconds=-1),
        "from before a password changed": signed("ada", changed=True),
        "of somebody who is gone": signed("eve"),
        "of a sign-in that was begun": signed(state="ada"),
        "without a signature": signed("ada").partition(".")[0],
    }
    for what, value in cookies.items():
        assert others(answers(addresses, stranger, headers={"cookie": f"dfgui={value}"}), 401) == {}, what
        assert "gradio" not in stranger.get("/", headers={"cookie": f"dfgui={value}"}).text, what


def test_under_another_name_none_answers(addresses, ada):
    for header in ({"host": "evil.example"}, {"x-forwarded-host": "evil.example"}, {"x-gradio-server": "http://x"}):
        assert others(answers(addresses, ada, headers=header), 400) == {}


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_to_a_page_of_another_site_none_answers(addresses, ada, origin):
    assert others(answers(addresses, ada, headers={"origin": origin}), 403) == {}


@pytest.mark.parametrize("origin", ["http://[", "", "x", "http://", "http://evil.example/@127.0.0.1", "a\xff"])
def test_an_origin_that_is_none_is_refused(ada, origin):
    assert ada.get("/config", headers={"origin": origin.encode("latin-1")}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_picture_a_script_or_a_form_on_another_site_gets_nothing(addresses, ada, site):
    assert others(answers(addresses, ada, headers={"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}), 403) == {}


def test_a_link_on_another_site_leads_to_the_page_and_to_nothing_else(addresses, ada):
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    asked = [(method, path) for method, path in addresses if method == "GET"]
    led = {path for method, path in asked if ask(ada, method, path, headers=link).status_code != 403}
    assert led == {"/", "/login"}


def test_what_dfgui_has_no_use_for_is_closed_to_those_signed_in_as_well(addresses, ada):
    off = [(method, path) for method, path in addresses if listed(path) in OFF]
    assert len(off) > 20
    found = {(method, path): ask(ada, method, path, json=_body(path)).status_code for method, path in off}
    assert {where: got for where, got in found.items() if got not in (403, 404)} == {}


def _body(path):
    return BODIES.get(path.strip("/").rpartition("/")[2], {})


def test_no_other_method_does_anything(addresses, ada):
    paths = {path: {method for method, other in addresses if other == path} for _, path in addresses}
    for method in ("PUT", "PATCH", "DELETE", "TRACE"):
        found = {path: ask(ada, method, path).status_code for path in paths if method not in paths[path]}
        assert {path: got for path, got in found.items() if got not in (404, 405)} == {}


def test_a_get_stays_one_whatever_a_header_says(ada):
    for name in ("x-http-method-override", "x-method-override", "x-http-method"):
        assert ada.get("/push/0123456789abcdef", headers={name: "DELETE"}).status_code == 405


def test_each_answer_says_that_it_is_private_and_what_it_may_be_part_of(addresses, ada, stranger):
    heads = {(method, path): ask(ada, method, path).headers for method, path in addresses if path != "/logout"}
    heads |= {path: ask(stranger, "GET", path).headers for path in ("/", "/login", "/logout", "/config")}
    for where, head in heads.items():
        policies = head.get_list("content-security-policy")
        assert any("default-src 'self'" in one and "frame-ancestors 'self'" in one for one in policies), where
        assert head["x-content-type-options"] == "nosniff" and head["referrer-policy"] == "same-origin", where
        assert re.search("private|no-store", head["cache-control"]), where
        assert "access-control-allow-origin" not in head, where
