"""One question in the window and what has come of it so far: events in, the next picture of it out.

Knows no page, no HTML and no thread. A stated sentence keeps the very sentences that back it, so that its citation
can point at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.records import (
    Answer,
    Citation,
    Event,
    Evidence,
    Finished,
    Paper,
    Rejected,
    Scope,
    Searched,
    Selected,
    Stated,
    Statement,
)

Stage = Literal["waiting", "searching", "reading", "writing", "finished", "stopped", "failed", "busy"]

UNDER_WAY: frozenset[Stage] = frozenset({"waiting", "searching", "reading", "writing"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, the answer as far as it goes, and how it ended.

    `number` counts the questions of a conversation from 1 and stays. `summary` says that several papers were to be
    summed up. It is about the papers of `years`, and about `only` one of them where that is set. `backing` holds for
    each statement the sentences that carry it. `read` is the number of abstracts that evidence was taken from.
    `problem` says in one sentence what went wrong where it did.
    """

    number: int
    question: str
    answer: Answer
    summary: bool = False
    only: Paper | None = None
    years: Scope = Scope()
    stage: Stage = "waiting"
    read: int = 0
    backing: tuple[tuple[Evidence, ...], ...] = ()
    withheld: tuple[Rejected, ...] = ()
    problem: str = ""
    follow_ups: tuple[str, ...] = ()

    @property
    def scope(self) -> Scope:
        """The papers that it is about."""
        return replace(self.years, paper_ids=frozenset({self.only.paper_id})) if self.only else self.years

    @property
    def under_way(self) -> bool:
        """Whether more is to come."""
        return self.stage in UNDER_WAY

    @property
    def said_something(self) -> bool:
        """Whether a later question can lean on it."""
        return self.stage == "finished" or bool(self.answer.statements)


def asked(
    number: int, question: str, summary: bool = False, only: Paper | None = None, years: Scope = Scope()
) -> Exchange:
    """An exchange that has only its question yet."""
    return Exchange(number, question, Answer(question, answered=False, confidence="answer"), summary, only, years)


def follow(exchange: Exchange, event: Event, seconds: float) -> Exchange:
    """The exchange after `event`, which came `seconds` after the search began."""
    answer = exchange.answer
    match event:
        case Searched(hits=hits):
            return replace(exchange, stage="reading", answer=replace(answer, hits=hits, timings={"search_s": seconds}))
        case Selected():
            timings = {**answer.timings, "evidence_s": seconds - answer.timings.get("search_s", 0.0)}
            weighed = replace(answer, confidence=event.confidence, reason=event.reason, themes=event.themes)
            read = len({item.paper.paper_id for item in event.evidence})
            return replace(exchange, stage="writing", answer=replace(weighed, timings=timings), read=read)
        case Stated():
            backing = (*exchange.backing, _backing(event, exchange.backing))
            return replace(exchange, answer=_with(answer, event), backing=backing)
        case Rejected():
            withheld = (*exchange.withheld, event)
            return replace(exchange, answer=replace(answer, rejected=len(withheld)), withheld=withheld)
        case Finished():
            return replace(exchange, stage="finished", answer=event.answer)


def _with(answer: Answer, stated: Stated) -> Answer:
    """The answer with one statement more, and its reference list as far as it goes."""
    known = {citation.number: citation for citation in (*answer.citations, *stated.citations)}
    citations = tuple(known[number] for number in sorted(known))
    return replace(answer, answered=True, statements=(*answer.statements, stated.statement), citations=citations)


def _backing(stated: Stated, earlier: Sequence[Sequence[Evidence]]) -> tuple[Evidence, ...]:
    """The sentences that carry this statement.

    A citation comes with all that was ever taken from its paper: of that, the sentence that is quoted; else what came
    with this statement; else, where it leans on nothing new, all.
    """
    used = {_place(item) for sentences in earlier for item in sentences}
    return tuple(item for citation in stated.citations for item in _own(stated.statement, citation, used))


def _own(statement: Statement, citation: Citation, used: set[tuple[str, int]]) -> Sequence[Evidence]:
    if statement.support == "quoted":
        wording = statement.text.casefold().rstrip(".")
        quoted = [item for item in citation.evidence if wording in item.sentence.text.casefold()]
        if quoted:
            return quoted
    return [item for item in citation.evidence if _place(item) not in used] or citation.evidence


def _place(item: Evidence) -> tuple[str, int]:
    return item.paper.paper_id, item.sentence.position
