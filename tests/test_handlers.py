"""The events of the page, with an assistant that can be held up and be told to fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
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


@pytest.fixture
def answering(paced: Paced) -> Paced:
    """An assistant that keeps nothing waiting at all."""
    paced.go_on.set()
    return paced


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


def ask(handlers: Handlers, question: str) -> None:
    """The question taken and answered."""
    begin(handlers, question)
    list(handlers.answer(TOKEN, VISITOR))


def click(**data: object) -> Any:
    """What the page tells of a button: its data."""
    return SimpleNamespace(**data)


def again(handlers: Handlers, number: int) -> tuple[Any, ...]:
    return handlers.begin_again(TOKEN, click(number=str(number)), VISITOR)


def suggested(handlers: Handlers, question: str = EXAMPLE) -> tuple[Any, ...]:
    return handlers.begin_suggested(TOKEN, None, False, click(question=question), VISITOR)


def edit(handlers: Handlers, number: int) -> str:
    """The line above the box while that question is edited."""
    return str(handlers.edit(TOKEN, click(number=str(number)), VISITOR)[1])


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


def test_an_edit_says_how_many_answers_go_with_it(answering: Paced) -> None:
    handlers = page(answering)
    for question in ("One?", "Two?", "Three?"):
        ask(handlers, question)
    assert "replaces this answer and the 2 after it" in edit(handlers, 1)
    assert "replaces" not in edit(handlers, 3)


@pytest.mark.parametrize(
    "clicked",
    [pytest.param(suggested, id="suggestion"), pytest.param(lambda handlers: again(handlers, 1), id="ask again")],
)
def test_a_click_while_editing_adds_at_the_end(answering: Paced, clicked: Callable[[Handlers], Any]) -> None:
    handlers = page(answering)
    for question in ("One?", "Two?"):
        ask(handlers, question)
    edit(handlers, 1)
    past, _, scope, _ = clicked(handlers)
    assert "One?" in past
    assert "Two?" in past
    assert "Editing" not in scope


def test_a_reload_leaves_the_edit(answering: Paced) -> None:
    handlers = page(answering)
    ask(handlers, "One?")
    edit(handlers, 1)
    assert "Editing" not in handlers.arrive(TOKEN, VISITOR)[3]


def test_a_question_of_an_ended_conversation_is_not_called_empty(answering: Paced) -> None:
    handlers = page(answering)
    with pytest.raises(Exception, match="This conversation was ended: ask anew"):
        again(handlers, 1)
    assert "This conversation was ended: ask anew" in handlers.not_begun(TOKEN, VISITOR)


def test_a_question_about_one_paper_stays_about_it_and_a_suggestion_is_not(answering: Paced) -> None:
    handlers = page(answering)
    handlers.only(TOKEN, click(paper=ORCHARD.paper_id), VISITOR)
    ask(handlers, "One?")
    only = f"only from {ORCHARD.title}"
    handlers.widen(TOKEN, VISITOR)
    assert only in again(handlers, 1)[1]
    list(handlers.answer(TOKEN, VISITOR))
    handlers.only(TOKEN, click(paper=ORCHARD.paper_id), VISITOR)
    assert only not in suggested(handlers)[1]


def test_a_question_is_asked_again_in_the_years_it_was_asked_in(answering: Paced) -> None:
    handlers = page(answering)
    handlers.begin(TOKEN, "2020-", False, "One?", VISITOR)
    list(handlers.answer(TOKEN, VISITOR))
    handlers.narrow(TOKEN, "", VISITOR)
    assert "only from 2020–" in again(handlers, 1)[1]


def test_only_what_was_typed_and_taken_leaves_the_box(answering: Paced) -> None:
    handlers = page(answering)
    assert emptied(handlers.begin(TOKEN, None, False, "One?", VISITOR)[3])
    list(handlers.answer(TOKEN, VISITOR))
    assert not emptied(suggested(handlers)[3])
    list(handlers.answer(TOKEN, VISITOR))
    assert not emptied(again(handlers, 1)[3])
    assert not emptied(handlers.clear(TOKEN, VISITOR)[3])


def test_a_question_put_into_the_box_to_be_edited_leaves_with_its_conversation(answering: Paced) -> None:
    handlers = page(answering)
    ask(handlers, "One?")
    edit(handlers, 1)
    assert emptied(handlers.clear(TOKEN, VISITOR)[3])


def emptied(box: Any) -> bool:
    """Whether what the page is told of the box empties it."""
    return "value" in box.constructor_args
