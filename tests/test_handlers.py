"""The events of the page, with an assistant that can be held up and be told to fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from samples import HITS, REFUSAL

from rag.errors import Cancelled, ModelFailed
from rag.records import Event, Evidence, Finished, Paper, Searched, Selected, Sentence
from ui.serving import without_look_ups

if TYPE_CHECKING:
    from ui.handlers import Handlers

TOKEN = "0" * 32
VISITOR: Any = SimpleNamespace(username=None)
ORCHARD = Paper("orchard", "ORCHARD: Counting Apples", "ORCHARD counts apples.")
EXAMPLE = "What is ORCHARD?"


class Paced:
    """Answers once it may go on; fails instead where it was told to, and when it is cancelled."""

    def __init__(self, error: Exception | None = None) -> None:
        self.index = SimpleNamespace(papers={ORCHARD.paper_id: ORCHARD})
        self.error = error
        self.go_on = threading.Event()

    def stream(self, *question: Any, cancelled: threading.Event | None = None, **options: Any) -> Iterator[Event]:
        assert self.go_on.wait(5), "nobody let it go on"
        if self.error is not None:
            raise self.error
        yield Searched(HITS)
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("stopped")
        yield Selected((Evidence(ORCHARD, Sentence("orchard", 0, 0, 22, ORCHARD.abstract), 1.0),))
        yield Finished(REFUSAL)


@pytest.fixture
def paced() -> Iterator[Paced]:
    """An assistant that keeps nothing waiting beyond the test."""
    assistant = Paced()
    yield assistant
    assistant.go_on.set()


def page(assistant: Paced) -> Handlers:
    """The events of its page, imported late: gradio looks things up where it was not told not to."""
    without_look_ups()
    from ui.handlers import Handlers

    return Handlers(assistant, 2000)  # type: ignore[arg-type]


def arrival(handlers: Handlers) -> str:
    """What a visitor without a conversation is shown."""
    return str(handlers.arrive(TOKEN, VISITOR)[2])


def begin(handlers: Handlers, question: str) -> str:
    """The picture of the question once it is taken."""
    return str(handlers.begin(TOKEN, None, False, question, VISITOR)[1])


def test_nobody_waits_for_the_examples(paced: Paced) -> None:
    handlers = page(paced)
    welcome = arrival(handlers)
    assert "welcome" in welcome
    assert EXAMPLE not in welcome
    paced.go_on.set()
    assert EXAMPLE in str(handlers.offer(TOKEN, VISITOR))
    assert EXAMPLE in arrival(handlers)


def test_the_page_comes_up_where_examples_cannot_be_found() -> None:
    assistant = Paced(ModelFailed("out of order"))
    handlers = page(assistant)
    assistant.go_on.set()
    for _ in range(20):  # before and after the search for them has failed
        assert "welcome" in arrival(handlers)
        time.sleep(0.01)
    assert "welcome" in handlers.clear(TOKEN, VISITOR)[1]


def test_the_end_of_an_old_answer_does_not_cover_a_new_question(paced: Paced) -> None:
    handlers = page(paced)
    paced.go_on.set()
    begin(handlers, "Old?")
    old = handlers.answer(TOKEN, VISITOR)
    next(old)
    handlers.clear(TOKEN, VISITOR)
    begin(handlers, "New?")
    assert all("New?" in picture and "Old?" not in picture for picture in old)
    assert "No answer in this collection" in list(handlers.answer(TOKEN, VISITOR))[-1]


def test_a_question_asked_while_another_is_under_way_is_refused_and_told_why(paced: Paced) -> None:
    handlers = page(paced)
    begin(handlers, "One?")
    with pytest.raises(Exception, match="Still answering"):
        begin(handlers, "Two?")
    assert "Still answering" in handlers.not_begun(TOKEN, VISITOR)
