"""Questions x a subject -> results, each kept as soon as it is there. Knows no metric and no report.

A question is asked after its history has been replayed; an answerable one is asked once more with its gold papers
hidden, when the right thing is to refuse. What the assistant fails on is a result like any other: a wrong one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from eval.datasets import Question
from eval.results import Cited, Picked, Result, ResultStore, Withheld
from eval.subjects import Subject, digest
from rag.errors import BadInput
from rag.records import Answer, Event, Finished, Paper, Rejected, Scope, Searched, Selected, Stated, Turn

SCHEMA: Final = 2
"""Raised when asking itself changes its meaning, so that nothing asked before counts."""

Progress = Callable[[int, int], None]
"""Hears how many of how many questions are done."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A question and what came of it: as asked, and with its gold papers hidden (None: not asked that way)."""

    question: Question
    asked: Result
    hidden: Result | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """One question to be asked of one subject, some papers being hidden."""

    question: Question
    subject: Subject
    hidden: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """What the answer depends on beside the subject; not the labels, which may be corrected at no cost."""
        history = [turn if isinstance(turn, str) else [turn.question, *turn.cited] for turn in self.question.history]
        return digest([SCHEMA, self.question.question, history, sorted(self.hidden)])


def run(
    questions: Sequence[Question],
    subject: Subject,
    store: ResultStore,
    *,
    quoting: Subject | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[Trial, ...]:
    """Ask every question of `subject`, in order; what `store` has is not asked again.

    With `quoting`, the subject that writes nothing, answerable questions are also asked of it with their gold papers
    hidden: whether to answer is decided before anything is written, so this costs a search. `jobs` threads share
    the assistant.
    """
    gold = {question.id: gold_papers(question, subject.papers) for question in questions}
    asked = [Asking(question, subject) for question in questions]
    hidden = [Asking(each, quoting, gold[each.id]) for each in questions if quoting is not None and gold[each.id]]
    results = list(_results([*asked, *hidden], store, jobs, progress))
    refused = {each.question.id: result for each, result in zip(hidden, results[len(asked) :], strict=True)}
    return tuple(
        Trial(question, result, refused.get(question.id))
        for question, result in zip(questions, results[: len(asked)], strict=True)
    )


def choose(
    questions: Sequence[Question], *, types: Sequence[str] = (), split: str = "all", limit: int | None = None
) -> tuple[Question, ...]:
    """The questions of these types and this split, `limit` of them spread evenly, since a file goes type by type.

    Raises BadInput where none is left.
    """
    if limit is not None and limit < 1:
        raise BadInput(f"{limit} questions cannot be asked: limit them to 1 or more")
    there = list(dict.fromkeys(question.type for question in questions if question.type))
    if unknown := [name for name in types if name not in there]:
        raise BadInput(f"no question has type {unknown[0]!r}: there is {', '.join(there) or 'no type at all'}")
    chosen = [
        question
        for question in questions
        if (not types or question.type in types) and (split == "all" or question.split == split)
    ]
    if not chosen:
        raise BadInput(f"no question is in split {split!r}" + (f" with type {', '.join(types)}" if types else ""))
    count = len(chosen) if limit is None else min(limit, len(chosen))
    return tuple(chosen[place * len(chosen) // count] for place in range(count))


def gold_papers(question: Question, papers: Mapping[str, Paper]) -> frozenset[str]:
    """The ids of the papers that answer the question."""
    titles = frozenset(question.gold_titles)
    return frozenset(paper_id for paper_id, paper in papers.items() if paper.title in titles)


def _results(askings: Sequence[Asking], store: ResultStore, jobs: int, progress: Progress | None) -> Iterator[Result]:
    ask = partial(_kept_or_asked, store)
    if jobs == 1:  # no thread, so that Ctrl-C ends the question under way and not the one after the last
        yield from _counted(map(ask, askings), len(askings), progress)
        return
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="asking")
    try:
        yield from _counted(pool.map(ask, askings), len(askings), progress)
    finally:
        pool.shutdown(cancel_futures=True)


def _counted(results: Iterable[Result], total: int, progress: Progress | None) -> Iterator[Result]:
    for done, result in enumerate(results, start=1):
        if progress is not None:
            progress(done, total)
        yield result


def _kept_or_asked(store: ResultStore, asking: Asking) -> Result:
    kept = store.get(asking.subject.identity, asking.key)
    if kept is not None:
        return kept
    result = ask(asking)
    store.add(asking.subject.identity, asking.key, result)
    return result


def ask(asking: Asking) -> Result:
    """Ask once. Whatever the assistant raises is the result."""
    subject, scope = asking.subject, Scope(hidden=asking.hidden)
    try:
        turns = _replayed(asking)
        subject.written()  # what the replay wrote is not this answer's
        return _heard(subject.assistant.stream(asking.question.question, turns, scope=scope), subject)
    except Exception as error:
        return Result(error=f"{type(error).__name__}: {' '.join(str(error).split())}"[:500])


def _replayed(asking: Asking) -> tuple[Turn, ...]:
    """The history as turns; a bare earlier question is asked first, and what it cited is remembered.

    What is hidden from the question is hidden from those before it: no answer may point at a paper that is not there.
    """
    turns: list[Turn] = []
    scope = Scope(hidden=asking.hidden)
    for earlier in asking.question.history:
        if isinstance(earlier, str):
            earlier = _finished(asking.subject.assistant.stream(earlier, tuple(turns), scope=scope)).turn
        turns.append(earlier)
    return tuple(turns)


def _finished(events: Iterator[Event]) -> Answer:
    for event in events:
        if isinstance(event, Finished):
            return event.answer
    raise RuntimeError("the assistant's stream ended without an answer")


def _heard(events: Iterator[Event], subject: Subject) -> Result:
    """Listen to an answer, the clock running."""
    started = time.perf_counter()
    first: float | None = None
    heard: list[Event] = []
    for event in events:
        heard.append(event)
        if isinstance(event, Stated) and first is None:
            first = time.perf_counter() - started
        if isinstance(event, Finished):
            total, written = time.perf_counter() - started, subject.written()
            told = _told(event.answer, heard)
            return replace(
                told, first_statement_s=first, total_s=total, pieces=written.pieces, writing_s=written.seconds
            )
    raise RuntimeError("the assistant's stream ended without an answer")


def _told(answer: Answer, heard: Sequence[Event]) -> Result:
    """What an answer and the events before it say, without the times."""
    return Result(
        answered=answer.answered,
        confidence=answer.confidence,
        reason=answer.reason,
        nearest=answer.nearest,
        statements=answer.statements,
        citations=_cited(answer),
        ranking=tuple(hit.paper.paper_id for each in heard if isinstance(each, Searched) for hit in each.hits),
        evidence=tuple(
            Picked(item.paper.paper_id, item.sentence.text)
            for each in heard
            if isinstance(each, Selected)
            for item in each.evidence
        ),
        withheld=tuple(Withheld(each.text, each.reason) for each in heard if isinstance(each, Rejected)),
        generator=answer.generator,
    )


def _cited(answer: Answer) -> tuple[Cited, ...]:
    return tuple(
        Cited(each.number, each.paper.paper_id, each.paper.title, tuple(e.sentence.text for e in each.evidence))
        for each in answer.citations
    )
