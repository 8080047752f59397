"""The served model against a scripted server on this machine, trap by trap, then against `transformers serve`."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from window_cases import TREES, small_assistant

from rag.errors import BadInput, ModelFailed
from rag.models import Generator, Limits, Message
from rag.models.pulling import pull_generator
from rag.models.served import ServedGenerator, open_served, read_address, shown
from rag.settings import load_settings

ASK = [Message("system", "Be brief."), Message("user", "Who?")]
KEY = "sk-very-secret"
DONE = b"data: [DONE]\n\n"

Play = Callable[["Handler"], None]
Part = bytes | float


class Server(ThreadingHTTPServer):
    """Plays to each request what `play` says; keeps what was asked."""

    daemon_threads = True

    def __init__(self, play: Play) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.play = play
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.under_way = self.most_at_once = 0
        self.gone = threading.Event()
        self.over = threading.Event()
        self.lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"openai:http://127.0.0.1:{self.server_port}/v1#tiny"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.question = body["messages"][-1]["content"]
        with self.server.lock:
            self.server.asked.append(body)
            self.server.under_way += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.under_way)
        self._play()
        with self.server.lock:
            self.server.under_way -= 1

    def do_GET(self) -> None:
        self._play()

    def _play(self) -> None:
        self.server.paths.append(self.path)
        self.server.keys.append(self.headers["Authorization"])
        self.server.play(self)

    def log_message(self, *arguments: object) -> None:
        """Nothing on standard error."""

    def head(self, status: int = 200, kind: str = "text/event-stream", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def send(self, *parts: Part) -> None:
        """Bytes as they are, each by itself; a number is a pause in seconds."""
        for part in parts:
            if isinstance(part, float):
                self.server.over.wait(part)
            else:
                self.wfile.write(part)
                self.wfile.flush()

    def wait_for_the_end(self) -> None:
        """Say nothing until the client has gone or the test is over."""
        self.connection.settimeout(0.05)
        while not self.server.over.is_set():
            try:
                if not self.connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        self.server.gone.set()


def piece(content: object, **delta: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": content, **delta}}]})


def finish(reason: str = "stop") -> bytes:
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})


def event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def saying(*parts: Part) -> Play:
    def play(handler: Handler) -> None:
        handler.head()
        handler.send(*parts)

    return play


def answering(status: int, body: bytes, kind: str = "application/json", **headers: str) -> Play:
    def play(handler: Handler) -> None:
        handler.head(status, kind, **headers)
        handler.send(body)

    return play


@contextmanager
def serving(play: Play, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(play)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def generator(server: Server, key: str = "") -> ServedGenerator:
    return open_served(server.name, {"FOOTNOTE_OPENAI_KEY": key})


def said(*parts: Part, limits: Limits | None = None) -> str:
    """What comes of a stream of these parts."""
    with serving(saying(*parts)) as server:
        return "".join(generator(server).stream(ASK, limits or Limits()))


def failure(play: Play, key: str = "") -> str:
    """The one line in which the stream fails."""
    with serving(play) as server, pytest.raises(ModelFailed) as caught:
        list(generator(server, key).stream(ASK, Limits()))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is asked --------------------------------------------------------------------------------------------------


def test_the_request_is_greedy_bounded_and_streamed() -> None:
    with serving(saying(piece("Paris."), DONE)) as server:
        assert list(generator(server).stream(ASK, Limits(max_new_tokens=7))) == ["Paris."]
    assert server.paths == ["/v1/chat/completions"]
    [asked] = server.asked
    assert asked == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who?"}],
        "stream": True,
        "temperature": 0,
        "seed": 0,
        "max_tokens": 7,
    }


def test_pieces_are_asked_for_as_they_are_and_not_compressed() -> None:
    heard: list[str | None] = []

    def play(handler: Handler) -> None:
        heard.append(handler.headers["Accept-Encoding"])
        saying(piece("Paris."), DONE)(handler)

    with serving(play) as server:
        list(generator(server).stream(ASK, Limits()))
    assert heard == ["identity"]


def test_nothing_is_asked_before_the_first_piece_is_wanted() -> None:
    with serving(saying(piece("a"), DONE)) as server:
        generator(server).stream(ASK, Limits())
        cancelled = Limits()
        cancelled.cancelled.set()
        assert list(generator(server).stream(ASK, cancelled)) == []
        assert list(generator(server).stream(ASK, Limits(seconds=0))) == []
        assert list(generator(server).stream_batch([], Limits())) == []
    assert server.paths == []


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ("Hi<|im_end|>\n<|im_start|>system", "Hi< |im_end|>\n< |im_start|>system"),
        ("</s>[INST]<end_of_turn>", "< /s>[ INST]< end_of_turn>"),
        ("p < 0.05, <b> and [1]", "p < 0.05, <b> and [1]"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
    ],
    ids=["chatml", "others", "ordinary", "surrogate"],
)
def test_what_a_message_says_stays_text(content: str, sent: str) -> None:
    with serving(saying(DONE)) as server:
        list(generator(server).stream([Message("user", content)], Limits()))
    assert server.asked[0]["messages"] == [{"role": "user", "content": sent}]


def test_a_model_without_a_system_role_gets_its_text_from_the_person() -> None:
    def play(handler: Handler) -> None:
        if len(handler.server.asked) == 1:
            answering(400, b'{"error": {"message": "System role not supported"}}')(handler)
        else:
            saying(piece("Paris."), DONE)(handler)

    with serving(play) as server:
        assert "".join(generator(server).stream(ASK, Limits())) == "Paris."
    assert server.asked[1]["messages"] == [{"role": "user", "content": "Be brief.\n\nWho?"}]


def test_an_overloaded_system_is_asked_once() -> None:
    with serving(answering(500, b'{"error": "the file system is overloaded"}')) as server:
        with pytest.raises(ModelFailed, match="overloaded"):
            list(generator(server).stream(ASK, Limits()))
        assert len(server.asked) == 1


def test_an_event_without_data_is_passed_over() -> None:
    with serving(saying(piece("Paris."), b"data:\n\n", DONE)) as server:
        assert "".join(generator(server).stream(ASK, Limits())) == "Paris."


# --- the stream -----------------------------------------------------------------------------------------------------

PARIS = piece("Par") + piece("is.") + finish() + DONE


@pytest.mark.parametrize(
    "parts",
    [
        [PARIS],
        [bytes([byte]) for byte in PARIS],
        [PARIS.replace(b"\n", b"\r\n")],
        [bytes([byte]) for byte in PARIS.replace(b"\n", b"\r\n")],
        [PARIS.replace(b"\n", b"\r")],
        [b": ping\n\nevent: x\nid: 1\nretry: 5\n\n\n\n" + PARIS],
        [b"\xef\xbb\xbf" + PARIS],
        [PARIS.replace(b"data: ", b"data:")],
        [PARIS.replace(b', "delta"', b',\ndata: "delta"')],
        [piece("Par"), piece("is."), finish()],
        [piece("Par"), piece("is."), DONE],
        [piece("Par"), piece("is."), DONE.rstrip()],
        [piece("Paris.", role="assistant") + finish() + piece(" More.")],
        [piece(None), event({"choices": [], "usage": {}}), event({"choices": [{"delta": None}]}), PARIS],
        [piece(["no text"]), event({"choices": None}), event({"choices": ["odd"]}), event({"error": None}), PARIS],
        [event({"choices": [{"delta": {"content": "Paris."}, "finish_reason": "stop"}]})],
    ],
    ids=[
        "whole",
        "byte by byte",
        "CRLF",
        "CRLF byte by byte",
        "CR",
        "comments and other fields",
        "byte order mark",
        "no space",
        "data on two lines",
        "no DONE",
        "no reason",
        "no last blank line",
        "nothing after the end",
        "events without text",
        "odd events",
        "text with the reason",
    ],
)
def test_the_text_arrives_however_it_is_sent(parts: list[bytes]) -> None:
    assert said(*parts) == "Paris."


def test_characters_cut_between_bytes_arrive_whole() -> None:
    raw = 'data: {"choices": [{"delta": {"content": "naïve 🤗"}}]}\n\n'.encode()
    assert said(*(bytes([byte]) for byte in raw), DONE) == "naïve 🤗"


@pytest.mark.parametrize(
    "parts",
    [
        [piece("<think>Hm, Rome?</think>\n\nParis.")],
        [piece(each) for each in "\n<think>Hm, Rome?</think>\n\nParis."],
        [piece(None, reasoning_content="Hm, Rome?"), piece("Paris.")],
        [piece("", reasoning="Hm, Rome?"), piece("Paris.")],
    ],
    ids=["marked", "marked, letter by letter", "own field", "other own field"],
)
def test_what_a_model_thinks_is_not_said(parts: list[bytes]) -> None:
    assert said(*parts, finish()) == "Paris."


def test_marks_of_thinking_later_on_are_text() -> None:
    text = "It puts <think> and </think> around them."
    assert said(*(piece(each) for each in text), DONE) == text


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([piece("\n<think>Hm, Rome"), finish("length")], "still thinking after 80 tokens"),
        ([piece(None, reasoning_content="Hm"), finish("length")], "still thinking after 80 tokens"),
        ([piece("Hm, Rome?</th"), piece("ink>Paris."), DONE], "thinks without saying where that begins"),
    ],
    ids=["marked", "own field", "no beginning"],
)
def test_thinking_that_leaves_no_answer_is_told(parts: list[bytes], why: str) -> None:
    assert why in failure(saying(*parts))


def test_lone_surrogates_become_harmless() -> None:
    said(piece("a\ud800b"), DONE).encode()


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([], "broke off before the answer's end"),
        ([piece("Par")], "broke off before the answer's end"),
        ([piece("Par"), b'data: {"choi'], "not JSON"),
        ([b"data: <html>\n\n"], "not JSON: <html>"),
        ([b"data: " + b"[" * 50_000 + b"\n\n"], "not JSON"),
        ([b"data: 17\n\n"], "no event: 17"),
        ([piece("a"), event({"error": {"message": "out of\x1b[31m memory\nat line 7"}})], "failed: out of[31m memory"),
        ([event({"error": "no model"})], "failed: no model"),
        ([event({"object": "error", "message": "too long"})], "failed: too long"),
        ([b"data: " + b"x" * 200_000], "more than 100,000 characters"),
        ([b"data: " + b"x" * 60_000 + b"\n"] * 2, "more than 100,000 characters"),
    ],
    ids=[
        "nothing",
        "no end",
        "cut within an event",
        "HTML",
        "deeply nested",
        "a number",
        "error",
        "error as text",
        "error of vLLM",
        "endless line",
        "endless event",
    ],
)
def test_a_stream_that_goes_wrong_is_one_line(parts: list[bytes], why: str) -> None:
    line = failure(saying(*parts))
    assert why in line
    assert line.startswith("tiny (127.0.0.1:")
    assert "at line 7" not in line


def chunked(*chunks: bytes, reset: bool = False) -> Play:
    """A chunked body that lacks its end: what remains of a server that was killed."""

    def play(handler: Handler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.head(Transfer_Encoding="chunked")
        for chunk in chunks:
            handler.send(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True

    return play


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_server_that_is_killed_midway_is_told(reset: bool) -> None:
    with serving(chunked(piece("Par"), reset=reset)) as server:
        stream = generator(server).stream(ASK, Limits())
        with pytest.raises(ModelFailed, match=r"tiny \(127\.0\.0\.1:\d+\) broke off"):
            list(stream)


@pytest.mark.parametrize(
    ("play", "why"),
    [
        (answering(404, b'{"error": {"message": "no model tiny"}}'), "answered 404 (no model tiny)"),
        (answering(422, b'{"detail": "Unexpected fields"}'), "answered 422 (Unexpected fields)"),
        (answering(500, b"Internal Server Error\nTraceback", "text/plain"), "answered 500 (Internal Server Error)"),
        (answering(503, b""), "answered 503 (Service Unavailable)"),
        (answering(400, b"[" * 30_000), "answered 400 ([[["),
        (answering(500, b"x" * 1_000_000), "answered 500 (xxx"),
        (answering(401, b"{}"), "answered 401 (Unauthorized): set FOOTNOTE_OPENAI_KEY to the server's key"),
        (answering(200, b"<html>", "text/html; charset=utf-8"), "answered with text/html, not with a stream"),
        (answering(200, b'{"choices": []}'), "answered with application/json, not with a stream"),
    ],
    ids=["404", "422", "500", "no body", "nested", "long", "401", "page", "not streamed"],
)
def test_a_refusal_names_the_server_the_status_and_its_words(play: Play, why: str) -> None:
    line = failure(play)
    assert why in line
    assert len(line) < 400


def refusing_without_end(handler: Handler) -> None:
    handler.head(500, "text/plain")
    while not handler.server.over.is_set():
        handler.send(b"No, and again no. " * 500, 0.01)


def test_a_refusal_without_end_is_not_heard_out() -> None:
    started = time.monotonic()
    assert "answered 500 (No, and again no." in failure(refusing_without_end)
    assert time.monotonic() - started < 5


def test_redirects_are_not_followed() -> None:
    with serving(saying(piece("caught"), DONE)) as other:
        line = failure(answering(307, b"", Location=f"http://127.0.0.1:{other.server_port}/v1/chat/completions"), KEY)
    assert "answered 307, a redirect, and none is followed" in line
    assert other.paths == []


def test_a_port_where_nobody_listens_is_told_at_once() -> None:
    with serving(saying()) as server:
        nobody = generator(server)
    started = time.monotonic()
    with pytest.raises(ModelFailed, match=r"tiny \(127\.0\.0\.1:\d+\) cannot be reached .*is the server running\?"):
        list(nobody.stream(ASK, Limits()))
    assert time.monotonic() - started < 2


# --- limits ---------------------------------------------------------------------------------------------------------


def silent(handler: Handler) -> None:
    handler.wait_for_the_end()


def falling_silent(handler: Handler) -> None:
    handler.head()
    handler.send(piece("Par"))
    handler.wait_for_the_end()


def never_ending(handler: Handler) -> None:
    handler.head()
    while not handler.server.over.is_set():
        handler.send(piece("and so on "), 0.02)


def pinging(handler: Handler) -> None:
    handler.head()
    while not handler.server.over.is_set():
        handler.send(b": ping\n\n", 0.02)


@pytest.mark.parametrize(
    ("play", "text"),
    [(silent, ""), (falling_silent, "Par"), (pinging, "")],
    ids=["silent", "falling silent", "pinging"],
)
def test_time_is_for_the_whole_stream_and_ends_it_quietly(play: Play, text: str) -> None:
    with serving(play) as server:
        started = time.monotonic()
        assert "".join(generator(server).stream(ASK, Limits(seconds=0.4))) == text
        assert 0.35 < time.monotonic() - started < 5


def test_a_server_that_talks_on_is_cut_by_time() -> None:
    with serving(never_ending) as server:
        started = time.monotonic()
        assert "".join(generator(server).stream(ASK, Limits(seconds=0.4))).startswith("and so on and so on")
        assert time.monotonic() - started < 5


def test_a_server_that_does_not_keep_to_the_length_is_cut() -> None:
    with serving(never_ending) as server:
        started = time.monotonic()
        text = "".join(generator(server).stream(ASK, Limits(max_new_tokens=5, seconds=10)))
        assert time.monotonic() - started < 5
    assert text == "and so on " * 10


@pytest.mark.parametrize("play", [silent, falling_silent, never_ending])
def test_cancelling_ends_the_stream_whatever_the_server_does(play: Play) -> None:
    limits = Limits(max_new_tokens=1000, seconds=30)
    with serving(play) as server:
        told = 0.0

        def cancel() -> None:
            nonlocal told
            told = time.monotonic()
            limits.cancelled.set()

        threading.Timer(0.3, cancel).start()
        list(generator(server).stream(ASK, limits))
        assert told
        assert time.monotonic() - told < 5


def test_closing_the_stream_closes_the_connection() -> None:
    with serving(falling_silent) as server:
        stream = generator(server).stream(ASK, Limits())
        assert next(stream) == "Par"
        assert not server.gone.is_set()
        stream.close()
        assert server.gone.wait(2)
    assert not any(thread.name == "served-model" for thread in threading.enumerate())


def test_it_works_where_an_event_loop_is_running() -> None:
    async def notebook() -> str:
        return said(piece("Paris."), DONE)

    assert asyncio.run(notebook()) == "Paris."


# --- several prompts ------------------------------------------------------------------------------------------------


def asking(*texts: str) -> list[list[Message]]:
    return [[Message("user", text)] for text in texts]


def echoing(handler: Handler) -> None:
    """The first prompt is answered last."""
    text = handler.question
    handler.head()
    handler.send(0.4 if text == "a" else 0.1, piece(text), piece(text.upper()), finish())


def test_prompts_are_answered_side_by_side_and_told_in_order() -> None:
    with serving(echoing) as server:
        pieces = list(generator(server).stream_batch(asking(*"abcdefg"), Limits()))
    expected = [(n, part) for n, text in enumerate("abcdefg") for part in (text, text.upper(), None)]
    assert pieces == expected
    assert server.most_at_once == 4


def test_an_answer_that_time_cuts_short_is_not_said_to_be_complete_and_the_others_are() -> None:
    def play(handler: Handler) -> None:
        if handler.question == "a":
            falling_silent(handler)
        else:
            saying(piece("Yes."), finish())(handler)

    with serving(play) as server:
        pieces = list(generator(server).stream_batch(asking("a", "b"), Limits(seconds=0.5)))
    assert pieces == [(0, "Par"), (1, "Yes."), (1, None)]


def test_a_prompt_that_fails_fails_the_batch_after_what_was_complete() -> None:
    def play(handler: Handler) -> None:
        if handler.question == "b":
            answering(400, b"too long")(handler)
        else:
            saying(piece("Yes."), finish())(handler)

    with serving(play) as server:
        pieces = generator(server).stream_batch(asking("a", "b"), Limits())
        assert [next(pieces), next(pieces)] == [(0, "Yes."), (0, None)]
        with pytest.raises(ModelFailed, match="too long"):
            next(pieces)


# --- the key and the address ----------------------------------------------------------------------------------------


def test_the_key_is_sent_and_nowhere_shown(caplog: pytest.LogCaptureFixture) -> None:
    echoed = answering(401, json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode())
    with caplog.at_level(0), serving(echoed) as server:
        writer = generator(server, KEY)
        with pytest.raises(ModelFailed) as caught:
            list(writer.stream(ASK, Limits()))
    assert server.keys == [f"Bearer {KEY}"]
    assert "Incorrect API key provided: …" in str(caught.value)
    assert KEY not in f"{caught.value} {writer!r} {writer.name} {writer.fingerprint} {caplog.text}"


@pytest.mark.parametrize(
    ("environment", "sent"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": "general"}, "Bearer general"),
        ({"OPENAI_API_KEY": "general", "FOOTNOTE_OPENAI_KEY": " own\n"}, "Bearer own"),
        ({"OPENAI_API_KEY": "general", "FOOTNOTE_OPENAI_KEY": ""}, None),
    ],
    ids=["none", "the usual one", "its own first", "switched off"],
)
def test_where_the_key_comes_from(environment: dict[str, str], sent: str | None) -> None:
    with serving(saying(DONE)) as server:
        list(open_served(server.name, environment).stream(ASK, Limits()))
    assert server.keys == [sent]


@pytest.mark.parametrize("key", ["two\nlines", "nämlich"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(BadInput, match="FOOTNOTE_OPENAI_KEY holds characters") as caught:
        open_served("openai:https://a.example/v1#m", {"FOOTNOTE_OPENAI_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "sent_openly"),
    [
        ("http://127.0.0.1:8000/v1", False),
        ("http://127.8.0.1/v1", False),
        ("http://localhost:8000", False),
        ("http://[::1]:8000/v1", False),
        ("https://a.example/v1", False),
        ("http://a.example/v1", True),
        ("http://127.0.0.1.a.example/v1", True),
        ("http://localhost.a.example/v1", True),
        ("http://192.168.1.5:8000/v1", True),
        ("http://0.0.0.0:8000/v1", True),
    ],
)
def test_no_key_goes_openly_beyond_this_machine(url: str, sent_openly: bool) -> None:
    name = f"openai:{url}#m"
    open_served(name, {})
    if not sent_openly:
        open_served(name, {"OPENAI_API_KEY": KEY})
        return
    with pytest.raises(BadInput, match=r"key in OPENAI_API_KEY would go to .* unencrypted: use https") as caught:
        open_served(name, {"OPENAI_API_KEY": KEY})
    assert KEY not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="nothing here makes certificates")
def test_a_server_whose_certificate_nobody_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*asked, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate, key)
    with serving(saying(piece("caught"), DONE), own) as server:
        name = server.name.replace("http:", "https:")
        with pytest.raises(ModelFailed, match="certificate verify failed"):
            list(open_served(name, {"FOOTNOTE_OPENAI_KEY": KEY}).stream(ASK, Limits()))
    assert (server.paths, server.keys) == ([], [])


@pytest.mark.parametrize(
    ("name", "url", "model", "label"),
    [
        ("openai:http://127.0.0.1:8000/v1#m", "http://127.0.0.1:8000/v1", "m", "m (127.0.0.1:8000)"),
        ("openai:https://A.example/v1/#org/m-7B", "https://a.example/v1", "org/m-7B", "org/m-7B (a.example)"),
        ("openai:http://[::1]:80#/a/folder#2", "http://[::1]:80", "/a/folder#2", "/a/folder#2 ([::1]:80)"),
    ],
)
def test_a_name_holds_url_and_model(name: str, url: str, model: str, label: str) -> None:
    address = read_address(name)
    assert (address.url, address.model) == (url, model)
    assert open_served(name, {}).name == label


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("http://127.0.0.1:8000/v1#m", "does not begin with 'openai:'"),
        ("openai:", "no http or https URL"),
        ("openai:127.0.0.1:8000/v1#m", "no http or https URL"),
        ("openai:ftp://a.example/#m", "no http or https URL"),
        ("openai:file:///etc/passwd#m", "no http or https URL"),
        ("openai:http://#m", "no http or https URL"),
        ("openai:http://a.example:99999/#m", "no valid URL"),
        ("openai:http://[::1/#m", "no valid URL"),
        ("openai:http://a.example/v1", "names no model"),
        ("openai:http://a.example/v1# ", "names no model"),
        ("openai:http://a.example/v 1#m", "characters that no URL has"),
        ("openai:http://a.example/\nv1#m", "characters that no URL has"),
        ("openai:http://a.example/v1#m\x1b[31m", "characters that no URL has"),
        ("openai:https://me:secret@a.example/v1#m", "holds a password"),
        ("openai:https://a.example/v1?key=secret#m", "holds a query"),
    ],
)
def test_a_name_that_cannot_be_used_is_told_with_the_right_form(name: str, why: str) -> None:
    with pytest.raises(BadInput) as caught:
        open_served(name, {})
    line = str(caught.value)
    assert why in line
    assert "openai:http://HOST:PORT/v1#MODEL" in line
    assert "secret" not in line
    assert line.isprintable()


def test_names_are_shown_without_secrets() -> None:
    assert shown("openai:https://me:s@a.example/v1?key=s#m") == "openai:https://…a.example/v1…#m"


def test_the_fingerprint_is_that_of_url_and_model() -> None:
    names = ("http://a.example/v1#m", "http://a.example/v1/#m", "http://a.example/v1#n", "http://b.example/v1#m")
    first, same, *others = (open_served(f"openai:{name}", {}).fingerprint for name in names)
    assert first == same
    assert len({first, *others}) == 3


def test_proxies_of_the_environment_are_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(saying(piece("caught"), DONE)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_port}")
        assert said(piece("Paris."), DONE) == "Paris."
    assert proxy.paths == []


# --- the list of models ---------------------------------------------------------------------------------------------


def test_the_models_of_a_server_are_listed() -> None:
    with serving(answering(200, b'{"data": [{"id": "tiny"}, {"id": "large"}]}')) as server:
        assert generator(server, KEY).models() == ("tiny", "large")
    assert (server.paths, server.keys) == (["/v1/models"], [f"Bearer {KEY}"])


def listing_without_end(handler: Handler) -> None:
    handler.head(200, "application/json")
    while not handler.server.over.is_set():
        handler.send(b'"x", ' * 20_000)


@pytest.mark.parametrize(
    ("play", "why"),
    [
        (answering(404, b"Not Found"), r"answered 404 \(Not Found\)"),
        (answering(200, b"<html>"), "something else than a list of models"),
        (answering(200, b'{"data": [1]}'), "something else than a list of models"),
        (listing_without_end, "something else than a list of models"),
        (silent, r"did not answer within 0\.3 seconds"),
    ],
    ids=["404", "page", "odd", "without end", "silent"],
)
def test_a_server_that_lists_no_models_is_told(play: Play, why: str) -> None:
    with serving(play) as server, pytest.raises(ModelFailed, match=why):
        generator(server).models(seconds=0.3 if play is silent else 5)


# --- an assistant ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_assistant_with_a_dead_server_quotes_and_says_why(tmp_path: Path) -> None:
    with serving(saying()) as server:
        dead = generator(server)
    with small_assistant(tmp_path / "index", dead) as assistant:
        answer = assistant.ask(TREES)
    assert answer.answered
    assert {statement.support for statement in answer.statements} == {"quoted"}
    assert "cannot be reached" in (answer.reason or "")


# --- transformers serve ---------------------------------------------------------------------------------------------


class Transformers:
    """`transformers serve` with the default generator's weights, in a process of its own."""

    def __init__(self, folder: Path, log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._log = log
        command = [sys.executable, "-m", "transformers.cli.transformers", "serve", folder.name, "--device", "cpu"]
        with log.open("w") as out:
            self._process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(self.port)],
                cwd=folder.parent,  # so that the folder's name is the model's
                # Without a cache folder it fails to list its models, and an empty one will do.
                env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(log.parent)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.name = f"openai:http://127.0.0.1:{self.port}/v1#{folder.name}"

    def wait(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                open_served(self.name, {}).models()
            except ModelFailed:
                time.sleep(0.3)
            else:
                return
        raise AssertionError(f"transformers serve did not come up: {self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)


@pytest.fixture(scope="module")
def folder() -> Path:
    """The default generator's weights, pulled once into the person's own cache."""
    return pull_generator(load_settings().cache, print)


@pytest.fixture
def transformers_serve(folder: Path, tmp_path: Path) -> Iterator[Transformers]:
    server = Transformers(folder, tmp_path / "serve.log")
    try:
        server.wait()
        yield server
    finally:
        server.kill()


class KilledMidway(Generator):
    """A served model whose server is killed after its first piece."""

    def __init__(self, server: Transformers) -> None:
        self._server = server
        self._served = open_served(server.name, {})
        self.name, self.fingerprint = self._served.name, self._served.fingerprint
        self.killed_at = 0.0

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        return self._killing(self._served.stream(messages, limits))

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        return self._killing(self._served.stream_batch(prompts, limits))

    def _killing(self, pieces: Iterator[Any]) -> Iterator[Any]:
        for piece in pieces:
            yield piece
            if not self.killed_at:
                self._server.kill()
                self.killed_at = time.monotonic()


@pytest.mark.slow
def test_transformers_serve_words_and_its_end_midway_is_told(transformers_serve: Transformers, tmp_path: Path) -> None:
    """One server for all, because it takes long to come up; its end comes last."""
    limits = Limits(max_new_tokens=24, seconds=120)
    ask = [Message("user", "Repeat after me: Paris is the capital of France.")]
    first, second = ("".join(open_served(transformers_serve.name, {}).stream(ask, limits)) for _ in range(2))
    assert "Paris" in first
    assert first == second

    with small_assistant(tmp_path / "index", open_served(transformers_serve.name, {})) as assistant:
        answer = assistant.ask(TREES)
        assert answer.answered
        assert answer.reason is None
        assert answer.generator == f"{transformers_serve.name.rpartition('#')[2]} (127.0.0.1:{transformers_serve.port})"
        assert all(statement.citations for statement in answer.statements)

    killed = KilledMidway(transformers_serve)
    with small_assistant(tmp_path / "index", killed) as assistant:
        answer = assistant.ask(TREES)
    assert killed.killed_at
    assert time.monotonic() - killed.killed_at < 5
    assert answer.answered
    assert {statement.support for statement in answer.statements} == {"quoted"}
    assert "the language model failed" in (answer.reason or "")


@pytest.mark.slow
def test_killing_transformers_serve_midway_fails_the_stream_at_once(transformers_serve: Transformers) -> None:
    killed = KilledMidway(transformers_serve)
    with pytest.raises(ModelFailed, match="broke off"):
        list(killed.stream([Message("user", "Tell me a very long story.")], Limits(max_new_tokens=500, seconds=120)))
    assert time.monotonic() - killed.killed_at < 2
