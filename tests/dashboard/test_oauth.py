"""Signing in elsewhere: `nemwarm serve --oauth-provider generic` against an OAuth 2 server on this machine.

The server's protocol is oauthlib's (codes, tokens, state, redirects); whose account it is and what was consented to is
this test's, held in two dicts. Google, GitHub and the like are not asked: tests are offline.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from oauthlib.oauth2 import RequestValidator, WebApplicationServer

from cli import main
from tests.dashboard.test_serving import Command, get

KEY, SECRET = "nemwarm-here", "only-the-two-know"
FORM = '<form method="post"><label>Account<input name="account"></label><button>Allow nemwarm</button></form>'


class Accounts(RequestValidator):
    """One client, whose page may be told of; codes and tokens as they are given out."""

    def __init__(self):
        self.codes, self.tokens, self.home = {}, {}, ""

    def validate_client_id(self, client_id, request, *_, **__):
        request.client = SimpleNamespace(client_id=client_id)
        return client_id == KEY

    def validate_redirect_uri(self, client_id, redirect_uri, request, *_, **__):
        return redirect_uri == self.home

    def validate_response_type(self, client_id, response_type, *_, **__):
        return response_type == "code"

    def validate_scopes(self, *_, **__):
        return True

    def get_default_scopes(self, *_, **__):
        return ["email"]

    def is_pkce_required(self, *_):
        return False

    def get_code_challenge(self, *_):
        return None

    def save_authorization_code(self, client_id, code, request, *_, **__):
        self.codes[code["code"]] = (request.account, request.redirect_uri)

    def authenticate_client(self, request, *_, **__):
        request.client = SimpleNamespace(client_id=request.client_id)
        return (request.client_id, request.client_secret) == (KEY, SECRET)

    def validate_code(self, client_id, code, client, request, *_, **__):
        request.user = self.codes.get(code, ("", ""))[0]
        return code in self.codes

    def confirm_redirect_uri(self, client_id, code, redirect_uri, *_, **__):
        return self.codes[code][1] == redirect_uri

    def validate_grant_type(self, client_id, grant_type, *_, **__):
        return grant_type == "authorization_code"

    def save_bearer_token(self, token, request, *_, **__):
        self.tokens[token["access_token"]] = request.user

    def invalidate_authorization_code(self, client_id, code, *_, **__):
        del self.codes[code]  # a code is good once

    def validate_bearer_token(self, token, scopes, request):
        request.user = self.tokens.get(token)
        return token in self.tokens


class Provider(BaseHTTPRequestHandler):
    """The server's four addresses, over oauthlib."""

    protocol: WebApplicationServer

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/authorize":
            self.protocol.validate_authorization_request(self.uri, "GET", None, {})
            self.answer(200, FORM, "text/html")
        elif path == "/user":
            good, request = self.protocol.verify_request(self.uri, "GET", None, dict(self.headers), [])
            self.answer(200 if good else 401, json.dumps({"email": request.user}))
        else:
            self.answer(404, "")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if urlsplit(self.path).path == "/token":
            _, text, status = self.protocol.create_token_response(self.uri, "POST", body, dict(self.headers))
            self.answer(status, text)
        else:
            scopes, facts = self.protocol.validate_authorization_request(self.uri, "GET", None, {})
            facts["account"] = parse_qs(body)["account"][0]
            headers, text, status = self.protocol.create_authorization_response(
                self.uri, "GET", None, {}, scopes, facts
            )
            self.answer(status, text or "", **headers)

    @property
    def uri(self):
        return f"http://{self.headers['Host']}{self.path}"

    def answer(self, status, text, kind="application/json", **headers):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(text.encode())), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def provider() -> Iterator[tuple[str, Accounts]]:
    accounts = Accounts()
    handler = type("Provider", (Provider,), {"protocol": WebApplicationServer(accounts)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", accounts
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
def test_a_reader_signs_in_elsewhere_and_comes_back_to_the_page(browser, provider, two_days, tmp_path, monkeypatch):
    there, accounts = provider
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # of the provider: it is on this machine
    for name, value in {
        "KEY": KEY, "SECRET": SECRET, "AUTHORIZE_URL": f"{there}/authorize", "TOKEN_URL": f"{there}/token", "USER_URL": f"{there}/user",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"PANEL_OAUTH_{name}", value)
    (tmp_path / "lake").symlink_to(two_days)
    command = Command(tmp_path, "--oauth-provider", "generic")
    accounts.home = command.url.rstrip("/")
    try:
        command.wait_until_live()
        assert "nemwarm_" not in get(f"{command.url}metrics")[1]
        page = browser.new_page()
        page.goto(f"{command.url}?region=SA1")
        page.get_by_label("Account").fill("ann@example.org")
        page.get_by_role("button", name="Allow nemwarm").click()
        page.locator(".tile.chosen", has_text="South Australia").wait_for(timeout=60_000)
        assert page.url == f"{command.url}?region=SA1"  # what was asked for at first
        page.goto(f"{command.url}metrics")
        assert "nemwarm_partitions" in page.content()
        assert accounts.codes == {}
        assert list(accounts.tokens.values()) == ["ann@example.org"]
        # A code that somebody else was given, or nobody: no session, and nothing of the program's inside.
        for forged in ("login?code=guessed&state=guessed", "login?error=access_denied"):
            status, text, _ = get(command.url + forged)
            assert status == 401
            assert "Traceback" not in text
        assert "Traceback" not in command.log.read_text()
    finally:
        command.process.kill()
        command.process.wait(20)


def test_a_provider_without_its_keys_is_refused_at_the_start(monkeypatch, capsys):
    """O2."""
    for name in ("KEY", "SECRET"):
        monkeypatch.delenv(f"PANEL_OAUTH_{name}", raising=False)
    assert main(["serve", "--oauth-provider", "github"]) == 2
    assert "PANEL_OAUTH_KEY, PANEL_OAUTH_SECRET" in capsys.readouterr().err
