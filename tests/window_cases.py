"""What the tests of the window share: a small real index, a generator that can be held up, the page being served."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from conftest import FakeEmbedder
from index_cases import build

from rag.assistant import Assistant
from rag.index.live import open_index
from rag.models import Limits, Message
from rag.settings import load_settings
from ui.serving import Login, application, listen, server

RECORDS = Path(__file__).parent / "data" / "records.jsonl"

TREES = "How are urban trees counted from street-level photographs?"
FLOODS = "How are river floods forecast with recurrent networks?"
RECIPES = "How are recipe steps aligned across languages?"
ELSEWHERE = "Chess?"
"""No abstract is near this under the fake embedder, so there is no answer."""


class PacedGenerator:
    """Says nothing, so that answers are quoted, or what it was told to for a question; can be held up and be stopped.

    `scripts` go by a piece of the question. Where a script is an exception it is raised.
    """

    name = "paced (test)"
    fingerprint = "paced"

    def __init__(self, **scripts: str | Exception) -> None:
        self.scripts = scripts
        self.go_on = threading.Event()
        self.go_on.set()
        self.running = 0
        self.ended_at = 0.0

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        asked = messages[-1].content.rpartition("Question:")[2]
        script = next((script for piece, script in self.scripts.items() if piece in asked), "")
        self.running += 1
        try:
            if isinstance(script, Exception):
                raise script
            while not self.go_on.wait(0.02):
                if limits.cancelled.is_set():
                    return
            yield script
        finally:
            self.running -= 1
            self.ended_at = time.monotonic()

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Write nothing until the block ends."""
        self.go_on.clear()
        try:
            yield
        finally:
            self.go_on.set()


@contextmanager
def small_assistant(
    folder: Path, generator: PacedGenerator | None = None, records: Path = RECORDS
) -> Iterator[Assistant]:
    """An assistant on a real index, of thirty made-up papers where no others are named."""
    build(folder, records)
    index = open_index(folder, FakeEmbedder.name, FakeEmbedder.fingerprint)
    with Assistant(index, FakeEmbedder(), generator, load_settings(index=folder)) as assistant:
        yield assistant


@contextmanager
def served(assistant: Assistant, login: Login | None = None) -> Iterator[str]:
    """The page on a free port of this machine: its address."""
    listening, ready = listen("127.0.0.1", 0), threading.Event()
    serving = server(application(assistant, 2000, "127.0.0.1", login), ready.set)
    thread = threading.Thread(target=serving.run, args=([listening],))
    thread.start()
    try:
        assert ready.wait(60), "the page did not come up"
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        serving.should_exit = True
        thread.join(20)
