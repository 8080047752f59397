"""From events to what the window shows of them."""

from __future__ import annotations

from samples import ANSWER, CALIBRATED, EVIDENCE, HITS, UNDATED
from summary_cases import SUMMARY, THEMES, events

from rag.records import Citation, Event, Evidence, Finished, Rejected, Searched, Selected, Sentence, Stated, Statement
from ui.exchange import Exchange, asked, follow

SECOND = Evidence(
    CALIBRATED, Sentence(CALIBRATED.paper_id, 1, 23, 69, "It holds for arbitrary facts under calibration."), 0.5
)
QUOTED = Statement(EVIDENCE.sentence.text, (1,), "quoted")
REWORDED = Statement("Arbitrary facts fall under it.", (1,), "supported")


def after(*events: Event) -> Exchange:
    exchange = asked(1, ANSWER.question)
    for second, event in enumerate(events, 1):
        exchange = follow(exchange, event, float(second))
    return exchange


def test_each_step_is_shown_with_its_time() -> None:
    searched = after(Searched(HITS))
    assert (searched.stage, searched.answer.hits) == ("reading", HITS)
    selected = after(Searched(HITS), Selected((EVIDENCE, SECOND), "caution", "It may be off."))
    assert (selected.stage, selected.read) == ("writing", 1)
    assert (selected.answer.confidence, selected.answer.reason) == ("caution", "It may be off.")
    assert selected.answer.timings == {"search_s": 1.0, "evidence_s": 1.0}


def test_the_themes_of_a_summary_are_known_before_its_statements() -> None:
    first = list(events())[:2]
    assert after(*first).answer.themes == THEMES
    assert after(*events()).answer is SUMMARY


def test_statements_gather_with_their_references() -> None:
    other = Citation(2, UNDATED)
    exchange = after(
        Stated(QUOTED, (Citation(1, CALIBRATED, (EVIDENCE,)),)), Stated(Statement("B.", (2,), "supported"), (other,))
    )
    assert exchange.answer.answered
    assert exchange.answer.statements[0] == QUOTED
    assert [citation.number for citation in exchange.answer.citations] == [1, 2]


def test_a_statement_is_backed_by_what_came_with_it() -> None:
    both = Citation(1, CALIBRATED, (EVIDENCE, SECOND))
    exchange = after(Stated(QUOTED, (Citation(1, CALIBRATED, (EVIDENCE,)),)), Stated(REWORDED, (both,)))
    assert exchange.backing == ((EVIDENCE,), (SECOND,))


def test_a_quotation_is_backed_by_the_sentence_quoted_though_it_was_used_before() -> None:
    both = Citation(1, CALIBRATED, (EVIDENCE, SECOND))
    exchange = after(Stated(REWORDED, (both,)), Stated(QUOTED, (both,)))
    assert exchange.backing == ((EVIDENCE, SECOND), (EVIDENCE,))


def test_a_statement_that_leans_on_nothing_new_is_backed_by_all() -> None:
    citation = Citation(1, CALIBRATED, (EVIDENCE,))
    assert after(Stated(QUOTED, (citation,)), Stated(REWORDED, (citation,))).backing[1] == (EVIDENCE,)


def test_what_is_withheld_is_kept() -> None:
    exchange = after(Rejected("Nonsense.", "not in the abstract"))
    assert exchange.withheld == (Rejected("Nonsense.", "not in the abstract"),)
    assert exchange.answer.rejected == 1


def test_the_finished_answer_is_the_assistants_own() -> None:
    exchange = after(Searched(HITS), Finished(ANSWER))
    assert exchange.answer is ANSWER
    assert not exchange.under_way
    assert exchange.said_something
