"""What the tests of the window share: a small real index, a generator that can be held up, the page being served."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from conftest import FakeEmbedder
from index_cases import build

from rag.assistant import Assistant
from rag.index.live import open_index
from rag.models import Generator, Limits, Message
from rag.records import Event, Finished, Selected, Theme
from rag.settings import load_settings
from ui.serving import Login, application, listen, server

RECORDS = Path(__file__).parent / "data" / "records.jsonl"

TREES = "How are urban trees counted from street-level photographs?"
FLOODS = "How are river floods forecast with recurrent networks?"
RECIPES = "How are recipe steps aligned across languages?"
ELSEWHERE = "Chess?"
"""No abstract is near this under the fake embedder, so there is no answer."""


class PacedGenerator(Generator):
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


class Divided(Assistant):
    """Finds in every summary that its first two papers speak of street trees and disagree, and that no others do.

    The fake embedder knows no themes.
    """

    def stream(self, *arguments: Any, **options: Any) -> Iterator[Event]:
        for event in super().stream(*arguments, **options):
            match event:
                case Selected(themes=themes):
                    yield replace(event, themes=divided(themes))
                case Finished(answer=answer):
                    yield Finished(replace(answer, themes=divided(answer.themes)))
                case _:
                    yield event


def divided(themes: Sequence[Theme]) -> tuple[Theme, ...]:
    """The papers in their order: the first two against each other, the others on their own."""
    papers = tuple(chain.from_iterable(theme.paper_ids for theme in themes))
    if not papers:
        return ()
    return Theme("street trees", papers[:2], ((papers[0], papers[1]),)), Theme("", papers[2:])


@contextmanager
def small_assistant(
    folder: Path, generator: PacedGenerator | None = None, records: Path = RECORDS
) -> Iterator[Assistant]:
    """An assistant on a real index, of thirty made-up papers where no others are named."""
    build(folder, records)
    index = open_index(folder, FakeEmbedder.name, FakeEmbedder.fingerprint)
    with Divided(index, FakeEmbedder(), generator, load_settings(index=folder)) as assistant:
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
