"""A made-up summary for the tests of what is shown of one: two papers that may disagree, one more, one left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from samples import CALIBRATED, UNDATED

from rag.records import (
    Answer,
    Citation,
    Event,
    Evidence,
    Finished,
    Hit,
    Paper,
    Searched,
    Selected,
    Sentence,
    Stated,
    Statement,
    Theme,
)

CONTRARY = Paper("contrary-0a1b2c", "Calibrated Models Need Not Hallucinate", "We show an upper bound. It is tight.")
SILENT = Paper("silent-3d4e5f", "A Paper of Which Nothing Is Stated", "Nothing to see here.")


def evidence(paper: Paper, position: int) -> Evidence:
    """A sentence of a paper, where it stands."""
    sentences = [f"{sentence.rstrip('.')}." for sentence in paper.abstract.split(". ")]
    start = sum(len(sentence) + 1 for sentence in sentences[:position])
    text = sentences[position]
    return Evidence(paper, Sentence(paper.paper_id, position, start, start + len(text), text), 1.0)


TWO, ONE, OTHER = (evidence(CALIBRATED, 0), evidence(CALIBRATED, 1)), evidence(CONTRARY, 0), evidence(UNDATED, 0)
THEMES = (
    Theme(
        "lower bound, calibration",
        (CALIBRATED.paper_id, SILENT.paper_id, CONTRARY.paper_id),
        ((CALIBRATED.paper_id, SILENT.paper_id), (CALIBRATED.paper_id, CONTRARY.paper_id)),
    ),
    Theme("", (UNDATED.paper_id,)),
)
SUMMARY = Answer(
    question="What is said of calibration?",
    answered=True,
    confidence="answer",
    statements=(
        Statement("We show a lower bound.", (1,), "quoted"),
        Statement("It holds for arbitrary facts.", (1,), "supported"),
        Statement("We show an upper bound.", (2,), "quoted"),
        Statement("Retro 48B is the largest LLM pretrained with retrieval.", (3,), "quoted"),
    ),
    citations=(Citation(1, CALIBRATED, TWO), Citation(2, CONTRARY, (ONE,)), Citation(3, UNDATED, (OTHER,))),
    hits=tuple(Hit(paper, (), 0.1) for paper in (CALIBRATED, CONTRARY, SILENT, UNDATED)),
    generator="scripted (test)",
    themes=THEMES,
)


def events(answer: Answer = SUMMARY) -> Iterator[Event]:
    """The stream that ends with this answer."""
    yield Searched(answer.hits)
    yield Selected((*TWO, ONE, OTHER), answer.confidence, answer.reason, answer.themes)
    told: dict[int, int] = {}
    for statement in answer.statements:
        [number] = statement.citations
        told[number] = told.get(number, 0) + 1
        [citation] = (each for each in answer.citations if each.number == number)
        yield Stated(statement, (Citation(number, citation.paper, tuple(islice(citation.evidence, told[number]))),))
    yield Finished(answer)
