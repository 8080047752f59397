"""Conversations of the window, with an assistant that does as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from samples import ANSWER, CALIBRATED, HITS, UNDATED

from rag.errors import Cancelled, ModelFailed
from rag.records import Event, Finished, Scope, Searched, Selected, Stated, Turn
from ui.dialogue import CONVERSATIONS_KEPT, TURNS_SENT, Desk, Dialogue

CITED = (CALIBRATED.paper_id, ANSWER.citations[1].paper.paper_id)


class Told:
    """An assistant that finishes every question, or raises where it was told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.histories: list[Sequence[Turn]] = []
        self.scopes: list[Scope] = []
        self.summaries: list[bool] = []
        self.cancelled: threading.Event | None = None

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, scope: Scope, summary: bool, cancelled: threading.Event
    ) -> Iterator[Event]:
        self.histories.append(history)
        self.scopes.append(scope)
        self.summaries.append(summary)
        self.cancelled = cancelled
        yield Searched(HITS)
        yield Selected(())
        if self.error is not None:
            raise self.error
        if cancelled.is_set():
            raise Cancelled("stopped")
        yield Stated(ANSWER.statements[0], ANSWER.citations[:1])
        yield Finished(ANSWER)


def ask(dialogue: Dialogue, question: str, assistant: Any = None) -> list[str]:
    """The stages that the question went through."""
    dialogue.begin(question)
    return [exchange.stage for exchange in dialogue.answer(assistant or Told())]


def test_an_answer_goes_through_its_stages() -> None:
    dialogue = Dialogue()
    assert ask(dialogue, "Why?") == ["searching", "reading", "writing", "writing", "finished"]
    assert not dialogue.under_way


def test_later_questions_are_asked_with_what_was_said_before() -> None:
    dialogue, assistant = Dialogue(), Told()
    for number in range(TURNS_SENT + 2):
        ask(dialogue, f"Question {number}?", assistant)
    assert assistant.histories[0] == []
    assert assistant.histories[1][0].cited == CITED
    assert len(assistant.histories[-1]) == TURNS_SENT


def test_a_failed_question_is_no_history() -> None:
    dialogue, assistant = Dialogue(), Told()
    ask(dialogue, "Why?", Told(ModelFailed("out of order")))
    ask(dialogue, "And now?", assistant)
    assert assistant.histories == [[]]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelFailed("the model is out of order"), "the model is out of order"),
        (KeyError("x"), "failed inside (KeyError)"),
    ],
    ids=["foreseen", "unforeseen"],
)
def test_whatever_is_raised_ends_as_one_sentence(
    error: Exception, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dialogue = Dialogue()
    assert ask(dialogue, "Why?", Told(error))[-1] == "failed"
    assert told in dialogue.exchanges[-1].problem
    assert ("KeyError" in capsys.readouterr().err) == isinstance(error, KeyError)
    assert ask(dialogue, "And now?")[-1] == "finished"


def test_stopping_ends_the_answer_where_it_is() -> None:
    dialogue = Dialogue()
    dialogue.begin("Why?")
    answer = dialogue.answer(Told())
    next(answer)
    dialogue.stop()
    assert [exchange.stage for exchange in answer][-1] == "stopped"


def test_a_question_stopped_while_it_waits_is_never_begun() -> None:
    dialogue, assistant = Dialogue(), Told()
    dialogue.begin("Why?")
    dialogue.stop()
    assert list(dialogue.answer(assistant)) == []
    assert dialogue.exchanges[-1].stage == "stopped"
    assert assistant.histories == []


def test_leaving_in_the_middle_ends_the_computation() -> None:
    dialogue, assistant = Dialogue(), Told()
    dialogue.begin("Why?")
    answer = dialogue.answer(assistant)
    next(answer)
    next(answer)
    answer.close()
    assert assistant.cancelled is not None
    assert assistant.cancelled.is_set()
    assert dialogue.exchanges[-1].stage == "stopped"


def test_an_edit_takes_the_place_of_its_question_and_all_after() -> None:
    dialogue = Dialogue()
    for question in ("One?", "Two?", "Three?"):
        ask(dialogue, question)
    assert dialogue.edit(2) == "Two?"
    ask(dialogue, "Two, then?")
    assert [(each.number, each.question) for each in dialogue.exchanges] == [(1, "One?"), (4, "Two, then?")]
    assert dialogue.replaces is None


def test_each_question_is_asked_as_its_summary_or_not() -> None:
    dialogue, assistant = Dialogue(), Told()
    for summary in (True, False):
        dialogue.begin("Why?", summary)
        list(dialogue.answer(assistant))
    assert assistant.summaries == [True, False]
    assert [dialogue.is_summary(number) for number in (1, 2, 3)] == [True, False, False]


def test_an_edit_counts_what_goes_with_it() -> None:
    dialogue = Dialogue()
    assert dialogue.after_edited == 0
    for question in ("One?", "Two?", "Three?"):
        ask(dialogue, question)
    for number, following in ((1, 2), (3, 0), (7, 0)):
        dialogue.edit(number)
        assert dialogue.after_edited == following


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(lambda dialogue: dialogue.begin_suggested("What next?"), id="suggested"),
        pytest.param(lambda dialogue: dialogue.begin_again(2), id="again"),
    ],
)
def test_what_is_asked_by_a_click_leaves_the_edit_and_every_answer(begin: Callable[[Dialogue], bool]) -> None:
    dialogue = Dialogue()
    for question in ("One?", "Two?", "Three?"):
        ask(dialogue, question)
    dialogue.edit(1)
    assert begin(dialogue)
    assert [each.number for each in dialogue.exchanges] == [1, 2, 3, 4]
    assert dialogue.replaces is None


def test_the_last_question_is_asked_again_in_its_own_place() -> None:
    dialogue = Dialogue()
    for question in ("One?", "Two?"):
        ask(dialogue, question)
    assert dialogue.begin_again(2)
    assert [(each.number, each.question) for each in dialogue.exchanges] == [(1, "One?"), (3, "Two?")]


def test_a_question_that_is_gone_is_not_asked_again() -> None:
    dialogue = Dialogue()
    ask(dialogue, "One?")
    assert not dialogue.begin_again(7)
    assert len(dialogue.exchanges) == 1


def test_arriving_anew_leaves_the_edit() -> None:
    dialogue = Dialogue()
    ask(dialogue, "One?")
    dialogue.edit(1)
    dialogue.interrupt()
    assert dialogue.replaces is None


def test_an_edit_of_nothing_changes_nothing() -> None:
    dialogue = Dialogue()
    ask(dialogue, "One?")
    assert dialogue.edit(7) == ""
    ask(dialogue, "Two?")
    assert len(dialogue.exchanges) == 2


def test_questions_about_one_paper_search_that_one() -> None:
    dialogue, assistant = Dialogue(), Told()
    dialogue.only, dialogue.years = CALIBRATED, Scope(year_from=2020)
    ask(dialogue, "Why?", assistant)
    assert assistant.scopes == [Scope(year_from=2020, paper_ids=frozenset({CALIBRATED.paper_id}))]


def test_a_question_keeps_the_scope_that_it_was_asked_in() -> None:
    dialogue, assistant = Dialogue(), Told()
    dialogue.only, dialogue.years = CALIBRATED, Scope(year_from=2020)
    dialogue.begin("Why?")
    dialogue.only, dialogue.years = UNDATED, Scope()
    list(dialogue.answer(assistant))
    dialogue.begin_again(1)
    list(dialogue.answer(assistant))
    assert assistant.scopes == 2 * [Scope(year_from=2020, paper_ids=frozenset({CALIBRATED.paper_id}))]
    assert dialogue.exchanges[-1].only == CALIBRATED


def test_a_suggested_question_is_asked_of_all_papers() -> None:
    dialogue, assistant = Dialogue(), Told()
    dialogue.only, dialogue.years = CALIBRATED, Scope(year_from=2020)
    dialogue.begin_suggested("What next?")
    list(dialogue.answer(assistant))
    assert assistant.scopes == [Scope(year_from=2020)]


@pytest.mark.parametrize(("begun", "stage"), [(False, "busy"), (True, "failed")], ids=["waiting", "begun"])
def test_a_question_that_came_to_nothing_says_which_way(begun: bool, stage: str) -> None:
    dialogue = Dialogue()
    dialogue.begin("Why?")
    answer = dialogue.answer(Told())
    if begun:
        next(answer)
    dialogue.refuse("too many", "lost")
    assert dialogue.exchanges[-1].stage == stage


def test_starting_over_while_an_answer_is_made_leaves_nothing() -> None:
    dialogue = Dialogue()
    dialogue.begin("Why?")
    answer = dialogue.answer(Told())
    next(answer)
    dialogue.clear()
    list(answer)
    assert dialogue.exchanges == []


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param(lambda answer: list(answer), id="stopped"),
        pytest.param(lambda answer: answer.throw(ModelFailed("out of order")), id="failed"),
        pytest.param(lambda answer: answer.close(), id="left"),
    ],
)
def test_the_end_of_an_old_answer_leaves_the_question_of_a_new_conversation_alone(
    ends: Callable[[Any], object],
) -> None:
    dialogue = Dialogue()
    dialogue.begin("Old?")
    old = dialogue.answer(Told())
    next(old)
    dialogue.clear()
    dialogue.begin("New?")
    ends(old)
    old.close()
    assert [exchange.stage for exchange in dialogue.exchanges] == ["waiting"]
    assert [exchange.stage for exchange in dialogue.answer(Told())][-1] == "finished"


def test_an_answer_that_could_not_be_shown_stays_failed_when_it_is_left() -> None:
    dialogue = Dialogue()
    dialogue.begin("Why?")
    answer = dialogue.answer(Told())
    next(answer)
    dialogue.refuse("too many", "lost")
    answer.close()
    assert dialogue.exchanges[-1].stage == "failed"


@pytest.mark.parametrize("begun", [False, True], ids=["waiting", "begun"])
def test_a_question_is_not_taken_while_another_is_under_way(begun: bool) -> None:
    dialogue = Dialogue()
    assert dialogue.begin("One?")
    answer = dialogue.answer(Told())
    if begun:
        next(answer)
    assert dialogue.edit(1) == "One?"
    assert not dialogue.begin("Two?")
    assert not dialogue.begin_suggested("Two?")
    assert not dialogue.begin_again(1)
    assert [exchange.question for exchange in dialogue.exchanges] == ["One?"]
    assert dialogue.replaces == 1
    assert [exchange.stage for exchange in answer][-1] == "finished"
    assert dialogue.begin("Two?")


def test_a_conversation_is_found_by_its_token_and_its_user_alone() -> None:
    desk, token = Desk(), "0" * 32
    mine = desk.dialogue(token, "a")
    assert desk.dialogue(token, "a") is mine
    assert desk.dialogue(token, "b") is not mine
    assert desk.dialogue("1" * 32, "a") is not mine


@pytest.mark.parametrize("token", ["", "short", "0" * 31 + "g", "0" * 33, "../" * 10], ids=repr)
def test_what_is_no_token_finds_nothing_kept(token: str) -> None:
    desk = Desk()
    assert desk.dialogue(token) is not desk.dialogue(token)


def test_the_conversations_used_last_are_kept() -> None:
    desk = Desk()
    first = desk.dialogue("f" * 32)
    for number in range(CONVERSATIONS_KEPT):
        desk.dialogue(f"{number:032x}")
    assert desk.dialogue("f" * 32) is not first
