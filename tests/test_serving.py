"""Who may reach the page, and how it is put on the network."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from rag.errors import BadInput
from ui.serving import LOGIN, Guard, Login, is_loopback, listen, read_login


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("example.org", False),
        ("", False),
        ("localhost.example.org", False),
    ],
)
def test_only_this_machines_own_names_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_login_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LOGIN, "reader:a:b")
    assert read_login(None) == Login({"reader": "a:b"})
    monkeypatch.delenv(LOGIN)
    assert read_login(None) is None


def test_a_file_holds_several_logins_and_goes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LOGIN, "other:x")
    file = tmp_path / "logins"
    file.write_text("one:1\n\n two:2 \n", encoding="utf-8")
    assert read_login(file) == Login({"one": "1", "two": "2"})


@pytest.mark.parametrize("text", ["", "\n", "nobody", "nobody:", ":secret", "a:b\nnobody"], ids=repr)
def test_a_login_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "logins"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="login") as refused:
        read_login(file)
    assert "\n" not in str(refused.value)


def test_a_missing_login_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_login(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("user", "password", "accepted"),
    [("one", "1", True), ("one", "2", False), ("one", "", False), ("nobody", "", False), ("ö", "ö", True)],
)
def test_passwords_are_compared(user: str, password: str, accepted: bool) -> None:
    assert Login({"one": "1", "ö": "ö"}).accepts(user, password) is accepted


def test_a_port_that_is_taken_is_told_in_a_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"cannot listen on 127.0.0.1:{port}: .*--port"):
            listen("127.0.0.1", port)


def test_a_host_that_does_not_exist_is_told_in_a_line() -> None:
    with pytest.raises(BadInput, match=r"cannot listen on 256\.0\.0\.1:1"):
        listen("256.0.0.1", 1)


def reached(host: str, local: bool) -> tuple[int, dict[str, str]]:
    """Status and headers of a request to that host through the guard."""
    sent: list[Any] = []

    async def page(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"kept")]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"host", host.encode())]}
    asyncio.run(Guard(page, local)(scope, None, send))  # type: ignore[arg-type]
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "[::1]:7860", "LOCALHOST:1"])
def test_this_machine_reaches_its_page(host: str) -> None:
    status, headers = reached(host, local=True)
    assert (status, headers["x-own"]) == (200, "kept")
    assert "connect-src 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize("host", ["evil.example:7860", "127.0.0.1.evil.example", "", "[::2]:7860", "192.0.2.1"])
def test_a_page_without_login_answers_to_no_other_name(host: str) -> None:
    assert reached(host, local=True)[0] == 421
    assert reached(host, local=False)[0] == 200


def test_listening_hands_over_a_socket() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert isinstance(listening, socket.socket)
