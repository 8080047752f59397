"""Messages to streamed text with a model that a server runs: any that speaks the OpenAI protocol, here or elsewhere.

Nothing is asked of the server before the first question, so a dead one costs nothing but its wording. Requests run in
an event loop on a thread of their own, where each can be stopped at any point: in connecting, in silence, midway. Knows
nothing of weights: what a server computes under a model's name, and whether it does so tomorrow, is its own affair.

    openai:http://127.0.0.1:8000/v1#Qwen/Qwen2.5-1.5B-Instruct
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import ipaddress
import json
import os
import re
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from rag.errors import BadInput, ModelFailed
from rag.models import Generator, Limits, Message, iterating
from rag.models.event_stream import EventStream
from rag.models.loading import encodable
from rag.models.prompting import without_system
from rag.text import normalise

if TYPE_CHECKING:
    import ssl

    import httpx

PREFIX: Final = "openai:"
FORM: Final = "openai:http://HOST:PORT/v1#MODEL"
KEYS: Final = ("FOOTNOTE_OPENAI_KEY", "OPENAI_API_KEY")
"""Variables that may hold the key; the first that is set counts, also where it is empty."""

_AT_ONCE = 4
"""Requests under way at once: an answer has some five sentences, and a small server decodes few rows together."""

_CONNECT_S = 5.0
_LOOK_S = 0.1
"""How long a cancellation may go unnoticed while the server is silent."""

_TOKEN_CHARS = 20
"""Longest average of a token: it bounds what a server says that does not keep to the number it was asked for."""

_MISUNDERSTOOD = (400, 422)
_REFUSAL_BYTES = 20_000
_LIST_BYTES = 1_000_000

_OPENED, _CLOSED = "<think>", "</think>"
_CONTROLS = re.compile(r"<(?=\||/?s>|(?:start|end)_of_turn>)|\[(?=/?INST\])")
"""Where the control tokens of the common chat templates begin. Which ones this model has, the server does not say."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a served model is: the URL before `/chat/completions`, and the model's name there."""

    url: str
    model: str

    @property
    def host(self) -> str:
        """HOST or HOST:PORT, as it was given."""
        return urlsplit(self.url).netloc

    @property
    def here(self) -> bool:
        """Whether the server is on this machine."""
        name = urlsplit(self.url).hostname or ""
        with suppress(ValueError):
            return ipaddress.ip_address(name).is_loopback
        return name == "localhost"

    @property
    def private(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return self.here or self.url.startswith("https://")


def read_address(name: str) -> Address:
    """The address that a generator's name holds. Raises BadInput, showing the right form and nothing secret."""
    url, _, model = name.removeprefix(PREFIX).partition("#")
    if why := _unusable(name, url, model.strip()):
        raise BadInput(f"generator {shown(name)!r} {why}: a served model is named {FORM}")
    parts = urlsplit(url)
    return Address(f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}", model.strip())


def shown(name: str) -> str:
    """A generator's name without what should not have been in it: a password, or a key in a query."""
    return normalise(re.sub(r"(?<=//)[^/#]*@|\?[^#]*", "…", name), limit=200)


def _unusable(name: str, url: str, model: str) -> str:
    """What is wrong with a served model's name, or an empty text."""
    if not name.startswith(PREFIX):
        return f"does not begin with {PREFIX!r}"
    if not url.isascii() or not (url + model).isprintable() or " " in url:
        return "holds characters that no URL has"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "holds no valid URL"
    if parts.scheme not in ("http", "https") or not host:
        return "holds no http or https URL"
    if "@" in parts.netloc:
        return f"holds a password (set {KEYS[0]} instead)"
    if parts.query:
        return "holds a query"
    return "" if model else "names no model"


def open_served(name: str, environment: Mapping[str, str] = os.environ) -> ServedGenerator:
    """The generator at the address in `name`, its key out of the environment; asks nothing of the server yet.

    Raises BadInput where the name cannot be used, or the key would be sent for anyone to read.
    """
    address = read_address(name)
    variable = next((each for each in KEYS if each in environment), KEYS[0])
    key = environment.get(variable, "").strip()
    if not key.isascii() or not key.isprintable():
        raise BadInput(f"{variable} holds characters that no key has: set it anew")
    if key and not address.private:
        raise BadInput(
            f"the key in {variable} would go to {address.host} unencrypted: use https, or set {KEYS[0]} to nothing"
        )
    return ServedGenerator(address, key)


class ServedGenerator(Generator):
    """A model behind an OpenAI-compatible server; safe to call from several threads."""

    def __init__(self, address: Address, key: str = "") -> None:
        self.name = f"{normalise(address.model, limit=200)} ({address.host})"
        self.fingerprint = hashlib.sha256(f"{address.url}#{address.model}".encode(errors="replace")).hexdigest()
        self.model = address.model
        self._address = address
        self._key = key

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        """Pieces of the answer as they come, without what the model thinks before it; ends quietly at a limit.

        Raises ModelFailed where the server cannot be reached, refuses, breaks off or talks nonsense.
        """
        with closing(iterating(self.stream_batch([messages], limits))) as pieces:
            yield from (piece for _, piece in pieces if piece is not None)

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        """The prompts are answered side by side and told in their order, so the same pieces come in the same order."""
        if not prompts or limits.cancelled.is_set() or limits.seconds <= 0:
            return
        deadline = time.monotonic() + limits.seconds
        answers: list[SimpleQueue[str | ModelFailed | None]] = [SimpleQueue() for _ in prompts]
        with _in_background(self._ask_all(prompts, limits, answers)):
            for number, answer in enumerate(answers):
                for piece in _as_they_come(answer, limits, deadline):
                    yield number, piece

    def models(self, seconds: float = 2.0) -> tuple[str, ...]:
        """What the server says it serves, asked now. Raises ModelFailed where it does not say so within `seconds`."""
        told: SimpleQueue[tuple[str, ...] | ModelFailed | None] = SimpleQueue()
        with _in_background(self._reported(self._list, told.put)), suppress(Empty):
            answer = told.get(timeout=seconds)
            if isinstance(answer, ModelFailed):
                raise answer
            return answer or ()
        raise ModelFailed(f"{self._address.host} did not answer within {seconds:g} seconds: is the server running?")

    async def _ask_all(
        self,
        prompts: Sequence[Sequence[Message]],
        limits: Limits,
        answers: Sequence[SimpleQueue[str | ModelFailed | None]],
    ) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def ask(messages: Sequence[Message], tell: Callable[[str | ModelFailed | None], None]) -> None:
            async with slots:
                await self._reported(lambda: self._converse(messages, limits.max_new_tokens, tell), tell)

        await asyncio.gather(*(ask(messages, answer.put) for messages, answer in zip(prompts, answers, strict=True)))

    async def _reported(self, work: Callable[[], Awaitable[T]], tell: Callable[[T | ModelFailed], None]) -> None:
        """Tell what `work` returns, or how it failed: whoever waits for it hears of it either way."""
        import httpx

        try:
            tell(await work())
        except ModelFailed as error:
            tell(error)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            tell(ModelFailed(f"{self.name} cannot be reached ({self._line(error)}): is the server running?"))
        except Exception as error:  # httpx's own, ssl's, h11's and whatever a proxy's settings provoke
            tell(ModelFailed(f"{self.name} broke off: {self._line(error)}"))

    async def _converse(self, messages: Sequence[Message], longest: int, tell: Callable[[str], None]) -> None:
        """Ask for one answer and tell its pieces; a second time where the model's template has no system role."""
        chat = [{"role": message.role, "content": _plain(message.content)} for message in messages]
        async with self._client() as client:
            for attempt in (chat, without_system(chat)):
                request = {**self._question(longest), "messages": attempt}
                async with client.stream("POST", f"{self._address.url}/chat/completions", json=request) as response:
                    if response.status_code == 200:
                        return await self._listen(response, longest, tell)
                    refusal = await self._refusal(response)
                if response.status_code not in _MISUNDERSTOOD or "system" not in str(refusal).casefold():
                    break
        raise refusal

    def _question(self, longest: int) -> dict[str, Any]:
        return {"model": self.model, "stream": True, "temperature": 0, "seed": 0, "max_tokens": longest}

    async def _listen(self, response: httpx.Response, longest: int, tell: Callable[[str], None]) -> None:
        """Tell what the server says until it has said all. Raises ModelFailed where it stops before."""
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "text/event-stream":
            raise ModelFailed(
                f"{self.name} answered with {kind[:50] or 'no content type'}, not with a stream of events"
            )
        reply, events = _Reply(longest), EventStream()
        async for chunk in response.aiter_raw():
            if self._tell(events.feed(chunk), reply, tell):
                return
        if not self._tell(events.end(), reply, tell):
            raise ModelFailed(f"{self.name} broke off before the answer's end")

    def _tell(self, events: Iterator[str], reply: _Reply, tell: Callable[[str], None]) -> bool:
        """Tell the new text in these events; whether the answer is complete with them."""
        for event in events:
            try:
                piece = reply.add(event)
            except ValueError as error:
                raise ModelFailed(f"{self.name} failed: {self._line(error)}") from None
            if piece:
                tell(piece)
            if reply.complete:
                return True
        return False

    async def _refusal(self, response: httpx.Response) -> ModelFailed:
        if response.is_redirect:
            return ModelFailed(f"{self.name} answered {response.status_code}, a redirect, and none is followed")
        body = (await _beginning(response, _REFUSAL_BYTES)).decode(errors="replace")
        with suppress(ValueError, RecursionError):
            body = _message(json.loads(body))
        remedy = f": set {KEYS[0]} to the server's key" if response.status_code == 401 else ""
        said = self._line(body) if body.strip() else response.reason_phrase
        return ModelFailed(f"{self.name} answered {response.status_code} ({said}){remedy}")

    async def _list(self) -> tuple[str, ...]:
        async with self._client() as client, client.stream("GET", f"{self._address.url}/models") as response:
            if response.status_code != 200:
                raise await self._refusal(response)
            body = await _beginning(response, _LIST_BYTES)
        with suppress(ValueError, RecursionError, KeyError, TypeError):
            return tuple(str(model["id"]) for model in json.loads(body)["data"] or ())
        raise ModelFailed(f"{self._address.host} answered with something else than a list of models")

    def _client(self) -> httpx.AsyncClient:
        import httpx

        headers = {"Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(None, connect=_CONNECT_S),
            verify=_tls(),
            # The environment's proxies are not for what stays on this machine.
            trust_env=not self._address.here,
        )

    def _line(self, said: object) -> str:
        """The first line of what an error or a server says, short and harmless, without the key."""
        text = str(said).strip() or type(said).__name__
        if self._key:
            text = text.replace(self._key, "…")
        return normalise(text[:2000].splitlines()[0], limit=200)


class _Reply:
    """One answer as far as it has come. `complete` once the server has ended it, or has said more than was asked."""

    def __init__(self, longest: int) -> None:
        self.complete = False
        self._longest = longest
        self._said = ""
        self._told = 0
        self._thought = False

    def add(self, event: str) -> str:
        """The new text in an event's data, often none. Raises ValueError where it tells of an error or is nonsense."""
        if event.strip() == "[DONE]":
            self.complete = True
            return ""
        if not event.strip():
            return ""
        choice = _choice(event)
        delta = _object(choice.get("delta"))
        self._said = (self._said + _text(delta.get("content")))[: self._longest * _TOKEN_CHARS]
        self._thought |= bool(delta.get("reasoning_content") or delta.get("reasoning"))
        full = len(self._said) == self._longest * _TOKEN_CHARS
        self.complete = full or bool(choice.get("finish_reason"))
        return self._new(cut=full or choice.get("finish_reason") == "length")

    def _new(self, *, cut: bool) -> str:
        text = _spoken(self._said)
        thought = self._thought or self._said.lstrip().startswith(_OPENED)
        if cut and thought and not text.strip():
            raise ValueError(
                f"it was still thinking after {self._longest} tokens; turn its thinking off or raise max_new_tokens"
            )
        piece, self._told = text[self._told :], max(self._told, len(text))
        return encodable(piece)


def _spoken(said: str) -> str:
    """What of the text is the answer: some models begin by thinking, between marks.

    Later marks are text: a paper may be about them. Raises ValueError where thinking has an end and no beginning,
    because it cannot be told from the answer before that end has come.
    """
    opening = said.lstrip()
    if opening.startswith(_OPENED):
        return opening.partition(_CLOSED)[2].lstrip()
    if _CLOSED in said and _OPENED not in said:
        raise ValueError("it thinks without saying where that begins; turn its thinking off in the server")
    return "" if _OPENED.startswith(opening) else said


def _choice(event: str) -> dict[str, Any]:
    """The part of an event that holds text; empty in one about usage. Raises ValueError for an error or nonsense."""
    try:
        chunk = json.loads(event)
    except (ValueError, RecursionError):
        raise ValueError(f"it sent what is not JSON: {event[:100]}") from None
    if not isinstance(chunk, dict):
        raise ValueError(f"it sent what is no event: {event[:100]}")
    if chunk.get("error") or chunk.get("object") == "error":
        raise ValueError(_message(chunk) or "it tells of an error")
    choices = chunk.get("choices")
    return _object(choices[0]) if isinstance(choices, list) and choices else {}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _message(said: object) -> str:
    """The words of an error, wherever the server puts them."""
    while isinstance(said, dict):
        said = next((said[key] for key in ("error", "message", "detail") if said.get(key)), "")
    return str(said)


def _plain(content: str) -> str:
    """`content` with a space in what the common templates take for a control token, which makes it ordinary text."""
    return _CONTROLS.sub(lambda found: f"{found[0]} ", encodable(content))


async def _beginning(response: httpx.Response, most: int) -> bytes:
    """The first `most` bytes of a body."""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= most:
            break
    return body[:most]


def _as_they_come(
    answer: SimpleQueue[str | ModelFailed | None], limits: Limits, deadline: float
) -> Iterator[str | None]:
    """An answer's pieces, then None; ends without it when time is up, once what has come until then is told."""
    while not limits.cancelled.is_set():
        left = deadline - time.monotonic()
        try:
            piece = answer.get(timeout=max(0.0, min(left, _LOOK_S)))
        except Empty:
            if left <= 0:
                return
            continue
        if isinstance(piece, ModelFailed):
            raise piece
        yield piece
        if piece is None:
            return


@contextmanager
def _in_background(work: Coroutine[Any, Any, None]) -> Iterator[None]:
    """Run `work` in an event loop on a thread of its own; the end of the block stops it, wherever it waits.

    Its own thread, because the caller's may be running a loop already, as in a notebook.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)
    thread = threading.Thread(target=_run, args=(loop, task), name="served-model", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(RuntimeError):  # the loop is closed: the work is done
            loop.call_soon_threadsafe(task.cancel)
        thread.join(1.0)


def _run(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    try:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: it takes longer than a question's other preparations."""
    import httpx

    return httpx.create_ssl_context()
