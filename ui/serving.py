"""The page on the network: who may reach it, what it may load, how it is served. Knows no layout."""

from __future__ import annotations

import hmac
import ipaddress
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BadInput

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from rag.assistant import Assistant

LOGIN = "FOOTNOTE_LOGIN"
MAX_LOGIN_FILE = 100_000

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "frame-src 'none'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Gradio needs inline script and eval; nothing may be loaded from, or sent to, another host."""

_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]


@dataclass(frozen=True)
class Login:
    """Who may enter: passwords by user."""

    passwords: Mapping[str, str]

    def accepts(self, user: str, password: str) -> bool:
        """Whether the password is this user's, in a time that does not tell how nearly."""
        expected = self.passwords.get(user, "")
        return hmac.compare_digest(password.encode(), expected.encode()) and bool(expected)


def read_login(file: Path | None) -> Login | None:
    """The logins in `file`, one `user:password` a line, else the one in `FOOTNOTE_LOGIN`; None where there is neither.

    Raises BadInput where one is not of that form, or the file cannot be read.
    """
    if file is None:
        given = os.environ.get(LOGIN)
        return Login(dict([_login(given, LOGIN)])) if given else None
    try:
        with file.open(encoding="utf-8") as stream:
            lines = stream.read(MAX_LOGIN_FILE).splitlines()
    except (OSError, ValueError) as error:
        raise BadInput(f"the login file cannot be read: {error}") from None
    entries = dict(_login(line, f"{file}, line {number}") for number, line in enumerate(lines, 1) if line.strip())
    if not entries:
        raise BadInput(f"the login file {file} is empty: write user:password into it, one a line")
    return Login(entries)


def _login(entry: str, where: str) -> tuple[str, str]:
    user, _, password = entry.strip().partition(":")
    if not user or not password:
        raise BadInput(f"{where}: a login has the form user:password")
    return user, password


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one. Raises BadInput where that is not possible."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise BadInput(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port") from None
    return listening


def without_look_ups() -> None:
    """Keep gradio from calling its makers; it reads this when it is imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def application(assistant: Assistant, question_limit: int, host: str, login: Login | None) -> FastAPI:
    """The page as a web application, behind its login and its content security policy."""
    without_look_ups()
    import gradio as gr
    from fastapi import FastAPI

    from ui import web

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, local=is_loopback(host) and login is None)
    gr.mount_gradio_app(
        app,
        web.page(assistant, question_limit),
        path="/",
        auth=login.accepts if login else None,
        auth_message="Footnote",
        max_file_size=1,  # nothing here takes a file
        ssr_mode=False,
        **web.look(),
    )
    return app


def server(app: FastAPI, ready: Callable[[], None]) -> uvicorn.Server:
    """What answers requests until interrupted, by `run([socket])`; `ready` is called once it does."""
    import uvicorn

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # Each page that is still open holds a stream: that it is cut off now is meant, and no error to be told.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            await super().shutdown(sockets)

    return Announced(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))


class Guard:
    """Adds the security headers; where the page is open to this machine alone, refuses requests under another name.

    A website can point its own name at 127.0.0.1 and would then read an open page as if it were its own.
    """

    def __init__(self, app: Application, local: bool) -> None:
        self._app = app
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._local and not is_loopback(_host(scope)):
            await _refuse(send)
        else:
            await self._app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await send(message)

    return sending


async def _refuse(send: Send) -> None:
    text = f"This page is for this machine only: open it under 127.0.0.1, or set {LOGIN} and start it with --host."
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def _host(scope: Scope) -> str:
    """The name that the request was sent to, without its port."""
    header = bytes(dict(scope["headers"]).get(b"host", b"")).decode("latin-1")
    return header.rpartition("]")[0].lstrip("[") if header.startswith("[") else header.partition(":")[0]
