from __future__ import annotations

from rag.answering.composing import Composer
from rag.records import Evidence, Paper, Sentence, Statement

RYE = Paper("rye", "Rye", "Rye rises slowly. It keeps the gas.")
OATS = Paper("oats", "Oats", "Oats do not rise.")


def evidence(paper: Paper, position: int = 0, score: float = 1.0) -> Evidence:
    return Evidence(paper, Sentence(paper.paper_id, position, 0, 1, f"Sentence {position}."), score)


def test_an_empty_answer_cites_nothing() -> None:
    assert (Composer().citations, Composer().statements) == ((), [])


def test_numbers_run_in_the_order_of_first_use() -> None:
    composer = Composer()
    composer.state("One.", [evidence(OATS)], "quoted")
    composer.state("Two.", [evidence(RYE)], "supported")
    composer.state("Three.", [evidence(OATS)], "quoted")
    assert [statement.citations for statement in composer.statements] == [(1,), (2,), (1,)]
    assert [(citation.number, citation.paper) for citation in composer.citations] == [(1, OATS), (2, RYE)]


def test_a_statement_cites_each_of_its_papers_once() -> None:
    composer = Composer()
    composer.state("One.", [evidence(RYE)], "quoted")
    stated = composer.state("Two.", [evidence(OATS), evidence(RYE), evidence(OATS, 1)], "supported")
    assert stated.statement == Statement("Two.", (1, 2), "supported")


def test_a_statement_comes_with_the_citations_it_uses_and_no_others() -> None:
    composer = Composer()
    composer.state("One.", [evidence(RYE)], "quoted")
    stated = composer.state("Two.", [evidence(OATS)], "quoted")
    assert [citation.number for citation in stated.citations] == [2]


def test_evidence_gathers_under_its_paper_in_reading_order_each_sentence_once() -> None:
    composer = Composer()
    composer.state("One.", [evidence(RYE, 1)], "quoted")
    composer.state("Two.", [evidence(RYE, 0), evidence(RYE, 1, score=0.0)], "supported")
    [citation] = composer.citations
    assert [(item.sentence.position, item.score) for item in citation.evidence] == [(0, 1.0), (1, 1.0)]
