from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from eval_cases import COLLECTION, QUESTIONS, AnswersEverything, Fails, Honest, Slow, subject

from eval.datasets import Question
from eval.results import ResultStore
from eval.runner import Asking, ask, choose, gold_papers, run
from eval.subjects import Written
from rag.errors import BadInput
from rag.records import Event, Rejected, Scope, Turn


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "eval")


def again(store: ResultStore) -> ResultStore:
    """The store as the next run opens it."""
    return ResultStore(store._folder)


def test_every_question_is_asked_in_order_and_heard_whole(store: ResultStore) -> None:
    trials = run(QUESTIONS, subject(Honest()), store)
    assert [trial.question for trial in trials] == list(QUESTIONS)
    memory = trials[0].asked
    assert memory.answered
    assert memory.text == "Pruna halves the memory of GPT-9."
    assert [(each.paper_id, each.evidence) for each in memory.citations] == [("pruna", (memory.text,))]
    assert memory.ranking[0] == "pruna"
    assert set(memory.ranking) == set(COLLECTION)
    assert memory.evidence[0].text == memory.text
    assert memory.nearest == pytest.approx(5 / 7)  # the terms of the question that the sentence has
    assert memory.first_statement_s is not None
    assert memory.total_s is not None
    assert 0 < memory.first_statement_s <= memory.total_s
    assert not trials[-1].asked.answered
    assert trials[-1].asked.first_statement_s is None


def test_answerable_questions_are_asked_once_more_without_their_papers(store: ResultStore) -> None:
    writing, quoting = AnswersEverything(), Honest()
    trials = run(QUESTIONS, subject(writing), store, quoting=subject(quoting))
    hidden = {trial.question.id: trial.hidden for trial in trials}
    assert [name for name, result in hidden.items() if result is None] == ["volcano", "opera"]
    assert [scope.hidden for _, _, scope in quoting.asked[:2]] == [{"pruna"}, {"osca"}]
    assert all(not result.answered for result in hidden.values() if result is not None)
    assert all(scope.everything for _, _, scope in writing.asked)


def test_a_bare_history_is_replayed_and_turns_are_taken_as_they_are(store: ResultStore) -> None:
    assistant = Honest()
    known = Turn("What is Osca?", ("osca",))
    asked = replace(QUESTIONS[0], history=(known, "At what do dancing bees point?"))
    run([asked], subject(assistant), store)
    assert [(text, history) for text, history, _ in assistant.asked] == [
        ("At what do dancing bees point?", (known,)),
        (asked.question, (known, Turn("At what do dancing bees point?", ("bee",)))),
    ]


def test_what_is_hidden_is_hidden_from_the_replay_too(store: ResultStore) -> None:
    quoting = Honest()
    asked = replace(QUESTIONS[0], history=("How much memory does Pruna save?",))
    run([asked], subject(Honest()), store, quoting=subject(quoting))
    assert [scope.hidden for _, _, scope in quoting.asked] == [{"pruna"}, {"pruna"}]


def test_a_failure_is_that_questions_result_and_the_run_goes_on(store: ResultStore) -> None:
    trials = run(QUESTIONS, subject(Fails("tides")), store)
    errors = {trial.question.id: trial.asked.error for trial in trials if trial.asked.error}
    assert errors == {"tides": "RuntimeError: out of memory"}


def test_a_failure_while_the_history_is_replayed_counts_too(store: ResultStore) -> None:
    asked = replace(QUESTIONS[0], history=("How long does forecasting tides take?",))
    [trial] = run([asked], subject(Fails("tides")), store)
    assert trial.asked.error == "RuntimeError: out of memory"


class NeverFinishes(Honest):
    def stream(self, question: str, history: Sequence[Turn] = (), *, scope: Scope = Scope()) -> Iterator[Event]:
        return iter(())


@pytest.mark.parametrize("history", [(), ("What is Osca?",)], ids=["asked", "replayed"])
def test_a_stream_without_an_end_is_a_failure(store: ResultStore, history: tuple[str, ...]) -> None:
    [trial] = run([replace(QUESTIONS[0], history=history)], subject(NeverFinishes()), store)
    assert trial.asked.error == "RuntimeError: the assistant's stream ended without an answer"


# --- keeping and finding again ----------------------------------------------------------------------------------------


def test_an_unchanged_run_asks_nothing_and_is_marked(store: ResultStore) -> None:
    first = run(QUESTIONS, subject(Honest()), store, quoting=subject(Honest()))
    assistant = Honest()
    second = run(QUESTIONS, subject(assistant), again(store), quoting=subject(assistant))
    assert not assistant.asked
    assert second == first
    assert all(trial.asked.cached for trial in second)
    assert not any(trial.asked.cached for trial in first)


def test_what_is_hidden_is_asked_once_for_all_that_are_compared(store: ResultStore) -> None:
    quoting = Honest()
    for name in ("none", "writer"):
        run(QUESTIONS, subject(AnswersEverything(), name, name), store, quoting=subject(quoting))
    assert len(quoting.asked) == 6


def test_a_killed_run_goes_on_where_it_was(store: ResultStore) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(QUESTIONS, subject(Fails("tides", KeyboardInterrupt()), identity="one"), store)
    assistant = Honest()
    run(QUESTIONS, subject(assistant, identity="one"), again(store))
    assert [text for text, _, _ in assistant.asked] == [each.question for each in QUESTIONS[3:]]


def test_errors_are_asked_again(store: ResultStore) -> None:
    run(QUESTIONS, subject(Fails("tides"), identity="one"), store)
    assistant = Honest()
    run(QUESTIONS, subject(assistant, identity="one"), again(store))
    assert [text for text, _, _ in assistant.asked] == ["How long does forecasting tides take?"]


def test_whatever_else_decides_the_answers_is_asked_anew(store: ResultStore) -> None:
    run(QUESTIONS, subject(Honest(), identity="one"), store)
    assistant = Honest()
    run(QUESTIONS, subject(assistant, identity="another prompt"), again(store))
    assert len(assistant.asked) == len(QUESTIONS)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (replace(QUESTIONS[0], id="x", facts=(("y",),), type="z", split="test", reference="r"), True),
        (replace(QUESTIONS[0], question="How much memory does Pruna save?"), False),
        (replace(QUESTIONS[0], history=("What is Pruna?",)), False),
        (replace(QUESTIONS[0], history=(Turn("What is Pruna?"),)), False),
    ],
    ids=["labels", "question", "earlier question", "earlier turn"],
)
def test_only_what_the_assistant_hears_is_in_the_key(other: Question, same: bool) -> None:
    asking = Asking(QUESTIONS[0], subject(Honest()))
    assert (replace(asking, question=other).key == asking.key) == same
    assert replace(asking, hidden=frozenset({"pruna"})).key != asking.key


def test_a_replayed_question_is_not_a_turn_without_citations() -> None:
    bare, turn = (replace(QUESTIONS[0], history=(each,)) for each in ("What is Osca?", Turn("What is Osca?")))
    assert Asking(bare, subject(Honest())).key != Asking(turn, subject(Honest())).key


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_several_at_a_time_give_the_same_in_the_same_order(store: ResultStore, tmp_path: Path) -> None:
    alone = run(QUESTIONS, subject(Slow()), store, quoting=subject(Slow()))
    assistant = Slow()
    together = run(QUESTIONS, subject(assistant), ResultStore(tmp_path / "2"), quoting=subject(Slow()), jobs=4)

    def said(trials: Sequence[object]) -> list[object]:
        return [(trial.question.id, trial.asked.text, trial.hidden and trial.hidden.nearest) for trial in trials]  # type: ignore[attr-defined]

    assert said(together) == said(alone)
    [kept] = (tmp_path / "2").iterdir()
    assert len(kept.read_text().splitlines()) == 14


def test_progress_is_heard(store: ResultStore) -> None:
    heard: list[tuple[int, int]] = []
    run(QUESTIONS[:2], subject(Honest()), store, quoting=subject(Honest()), progress=lambda *step: heard.append(step))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_the_generator_gave_is_told_without_the_replay() -> None:
    given = iter([Written(99, 9.0), Written(12, 0.5)])
    asking = Asking(QUESTIONS[0], replace(subject(Honest()), written=lambda: next(given)))
    result = ask(asking)
    assert (result.pieces, result.writing_s) == (12, 0.5)


class Withholds(Honest):
    def stream(self, question: str, history: Sequence[Turn] = (), *, scope: Scope = Scope()) -> Iterator[Event]:
        yield Rejected("It doubles.", "no source says so")
        yield from super().stream(question, history, scope=scope)


def test_what_was_withheld_is_told() -> None:
    [withheld] = ask(Asking(QUESTIONS[0], subject(Withholds()))).withheld
    assert (withheld.text, withheld.reason) == ("It doubles.", "no source says so")


def test_gold_papers_are_found_by_their_titles() -> None:
    both = replace(QUESTIONS[0], gold_titles=("Solar Glass", "Moss Genomes"))
    assert gold_papers(both, COLLECTION) == {"sol", "moss"}
    assert gold_papers(QUESTIONS[-1], COLLECTION) == frozenset()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [each.id for each in QUESTIONS]),
        ({"types": ["which", "unanswerable"]}, ["glass", "volcano", "opera"]),
        ({"split": "test"}, ["bees", "tides", "opera"]),
        ({"split": "test", "types": ["unanswerable"]}, ["opera"]),
        ({"limit": 2}, ["memory", "glass"]),
        ({"limit": 99}, [each.id for each in QUESTIONS]),
        ({"split": "test", "limit": 2}, ["bees", "tides"]),
    ],
    ids=str,
)
def test_questions_are_chosen(wanted: dict[str, object], expected: list[str]) -> None:
    assert [each.id for each in choose(QUESTIONS, **wanted)] == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"types": ["whihc"]}, "no question has type 'whihc': there is fact, which, unanswerable"),
        ({"split": "test", "types": ["which"]}, "no question is in split 'test' with type which"),
        ({"limit": 0}, "0 questions cannot be asked"),
        ({"limit": -1}, "-1 questions cannot be asked"),
    ],
    ids=["unknown type", "nothing left", "none", "fewer than none"],
)
def test_a_choice_of_nothing_is_refused(wanted: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        choose(QUESTIONS, **wanted)  # type: ignore[arg-type]


def test_threads_end_with_the_run(store: ResultStore) -> None:
    run(QUESTIONS, subject(Honest()), store, jobs=3)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("asking")]
