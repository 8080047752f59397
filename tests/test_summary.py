"""A summary by theme and paper."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import ANSWER
from summary_cases import CALIBRATED, CONTRARY, SILENT, SUMMARY, UNDATED, events

from rag.records import Answer, Citation, Theme
from ui.exchange import asked, follow
from ui.summary import Part, Section, listed, sections


def laid_out(answer: Answer) -> list[tuple[str, list[tuple[int, tuple[int, ...]]]]]:
    return [
        (section.heading, [(part.citation.number, part.places) for part in section.parts])
        for section in sections(answer)
    ]


def test_papers_stand_under_their_theme_with_what_is_stated_of_them() -> None:
    assert laid_out(SUMMARY) == [
        ("On lower bound, calibration", [(1, (0, 1)), (2, (2,))]),
        ("Also", [(3, (3,))]),
    ]


def test_an_ordinary_answer_has_no_sections() -> None:
    assert sections(ANSWER) == ()


def test_pairs_are_told_by_their_numbers_and_only_where_both_have_one() -> None:
    assert [section.opposed for section in sections(SUMMARY)] == [((1, 2),), ()]


def test_a_theme_of_which_nothing_is_stated_is_left_out() -> None:
    themes = (Theme("silence", (SILENT.paper_id,)), *SUMMARY.themes)
    assert laid_out(replace(SUMMARY, themes=themes)) == laid_out(SUMMARY)


def test_papers_that_share_nothing_have_no_heading_where_there_is_no_other() -> None:
    papers = (CALIBRATED.paper_id, CONTRARY.paper_id, UNDATED.paper_id)
    assert [heading for heading, _ in laid_out(replace(SUMMARY, themes=(Theme("", papers),)))] == [""]


def test_themes_without_a_name_are_one_section() -> None:
    one, other = Theme("", (CALIBRATED.paper_id,)), Theme("", (CONTRARY.paper_id, UNDATED.paper_id))
    [(heading, parts)] = laid_out(replace(SUMMARY, themes=(one, other)))
    assert (heading, [number for number, _ in parts]) == ("", [1, 2, 3])


def test_no_statement_is_lost_though_its_paper_is_in_no_theme() -> None:
    assert laid_out(replace(SUMMARY, themes=SUMMARY.themes[:1])) == laid_out(SUMMARY)


def test_what_stands_already_stays_where_it_is_while_a_summary_grows() -> None:
    exchange, before = asked(1, SUMMARY.question, True), sections(SUMMARY)[:0]
    for event in events():
        exchange = follow(exchange, event, 0.0)
        now = sections(exchange.answer)
        assert [section.heading for section in now[: len(before)]] == [section.heading for section in before]
        assert [len(section.parts) for section in now[: len(before) - 1]] == [len(each.parts) for each in before[:-1]]
        before = now
    assert laid_out(exchange.answer) == laid_out(SUMMARY)


@pytest.mark.parametrize(
    ("opposed", "rows"),
    [
        ([], [(1,), (2,), (3,), (4,)]),
        ([(1, 2)], [(1, 2), (3,), (4,)]),
        ([(2, 4)], [(1,), (2, 4), (3,)]),
        ([(4, 1), (2, 3)], [(1, 4), (2, 3)]),
        ([(1, 2), (1, 4)], [(1, 2, 4), (3,)]),
        ([(1, 4), (3, 4)], [(1, 3, 4), (2,)]),
    ],
    ids=["none", "neighbours", "apart", "two pairs", "one against two", "two against one"],
)
def test_papers_that_may_disagree_share_a_row(opposed: list[tuple[int, int]], rows: list[tuple[int, ...]]) -> None:
    parts = tuple(Part(Citation(number, UNDATED), ()) for number in (1, 2, 3, 4))
    section = Section("On x", parts, tuple(opposed))
    assert [tuple(part.citation.number for part in row) for row in section.rows] == rows


def test_numbers_are_listed_as_in_a_sentence() -> None:
    assert listed((1, 3)) == "[1] and [3]"
