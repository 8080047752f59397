"""Answers as text and Markdown, with hostile titles and model text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from samples import ANSWER, CALIBRATED, HITS, HOSTILE, REFUSAL, UNDATED
from summary_cases import SUMMARY, events

from rag.records import Citation, Hit, Statement
from ui import render
from ui.exchange import asked, follow


def test_quoted_words_stand_in_quotation_marks_and_worded_ones_do_not() -> None:
    worded, quoted = (render.statement_text(statement).plain for statement in ANSWER.statements)
    assert (worded, quoted) == ("Yes, for arbitrary facts. [1]", "“We show a lower bound.” [1] [2]")


def test_a_reference_gives_what_is_known() -> None:
    [(mark, text)] = render.references([Citation(1, CALIBRATED)])
    assert mark == "[1]"
    assert text.plain.splitlines() == [
        "Calibrated Language Models Must Hallucinate",
        "A. Author, B. Author · Symposium on Examples · 2023",
        "https://example.org/calibrated",
    ]


def test_a_reference_without_details_is_its_title() -> None:
    assert render.paper_text(UNDATED).plain == UNDATED.title


def test_many_authors_are_counted() -> None:
    paper = replace(UNDATED, authors=("A. One", "B. Two", "C. Three", "D. Four", "E. Five"))
    assert render.byline(paper) == "A. One, B. Two, C. Three, and 2 more"


@pytest.mark.parametrize(
    ("dense", "keyword", "said"),
    [(1, 2, "meaning 1 · words 2"), (None, 4, "words 4"), (3, None, "meaning 3"), (None, None, "")],
)
def test_where_a_paper_was_found(dense: int | None, keyword: int | None, said: str) -> None:
    assert render.found_by(Hit(UNDATED, (), 0.1, dense, keyword)) == said


def test_terminal_text_holds_no_escape_sequence_and_reads_no_markup() -> None:
    text = render.paper_text(HOSTILE)
    assert "\x1b" not in text.plain
    assert "\u202e" not in text.plain
    assert "[bold]Title[/bold]" in text.plain
    assert "javascript:alert" not in text.plain


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://a b",
        'https://a"b',
        "https://a><b",
        "",
    ],
)
def test_only_web_addresses_are_links(url: str) -> None:
    assert render.web_address(url) == ""
    assert "](<" not in render.paper_markdown(replace(UNDATED, url=url))


def test_markdown_lists_statements_then_linked_references() -> None:
    assert render.answer_markdown(ANSWER) == (
        "**Do calibrated language models have to hallucinate?**\n\n"
        "Yes, for arbitrary facts. [1]\n\n"
        "“We show a lower bound.” [1] [2]\n\n"
        "1. [Calibrated Language Models Must Hallucinate](<https://example.org/calibrated>)"
        " · A. Author, B. Author · Symposium on Examples · 2023\n"
        "2. InstructRetro: Instruction Tuning post Retrieval-Augmented Pretraining\n"
    )


def test_markdown_sums_up_under_headings() -> None:
    assert render.answer_markdown(SUMMARY).startswith(
        "**What is said of calibration?**\n\n"
        "### On lower bound, calibration\n\n"
        "“We show a lower bound.” [1]\n\n"
        "It holds for arbitrary facts. [1]\n\n"
        "“We show an upper bound.” [2]\n\n"
        "[1] and [2] may disagree: compare them.\n\n"
        "### Also\n\n"
        "“Retro 48B is the largest LLM pretrained with retrieval.” [3]\n\n"
        "1. [Calibrated"
    )


def test_text_of_a_summary_only_grows_at_its_end() -> None:
    exchange, written = asked(1, SUMMARY.question, True), []
    whole = [block.plain for block in render.answer_texts(SUMMARY, finished=True)]
    for event in events():
        exchange = follow(exchange, event, 0.0)
        blocks = [block.plain for block in render.answer_texts(exchange.answer, finished=not exchange.under_way)]
        assert blocks[: len(written)] == written
        assert blocks == whole[: len(blocks)]
        written = blocks
    assert written == whole


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Short", "Short"),
        ("word " * 18, " ".join(["word"] * 18)),
        ("word " * 19, " ".join(["word"] * 18) + "…"),
        ("Words: " + "word " * 18, "Words…"),
        ("x" * 91, "x" * 90 + "…"),
    ],
    ids=["short", "full", "long", "subtitle", "no space"],
)
def test_a_long_title_is_shortened(title: str, shown: str) -> None:
    assert render.short_title(replace(UNDATED, title=title)) == shown


def test_a_caution_stands_above_the_answer_and_says_why() -> None:
    markdown = render.answer_markdown(replace(ANSWER, confidence="caution", reason="the evidence is thin."))
    assert "\n\n> This may not be what was asked: the evidence is thin.\n\nYes" in markdown


def test_a_refusal_names_reason_and_nearest_papers() -> None:
    markdown = render.answer_markdown(REFUSAL)
    assert "no abstract comes close enough" in markdown
    assert [line[:12] for line in markdown.splitlines() if line.startswith("- ")] == ["- [Calibrate", "- InstructRe"]


def test_a_refusal_without_reason_or_papers_is_one_line() -> None:
    refusal = replace(REFUSAL, reason=None, hits=())
    assert render.answer_markdown(refusal) == "**What is the capital of France?**\n\nNo answer in this collection.\n"


def test_a_refusal_under_one_paper_speaks_of_that_paper() -> None:
    refusal = replace(REFUSAL, reason=None, hits=())
    assert "\n\nNo answer in this paper.\n" in render.answer_markdown(refusal, render.REFUSAL_OF_ONE)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<b> & *x*", r"\<b\> \& \*x\*"),
        ("[a](b)", r"\[a\]\(b\)"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("12) item", r"12\) item"),
        ("$x$ and `y` | z", r"\$x\$ and \`y\` \| z"),
        ("\\", r"\\"),
        ("3.5 of 4 e-5", r"3\.5 of 4 e-5"),
    ],
)
def test_markdown_is_escaped(text: str, escaped: str) -> None:
    assert render.escape_markdown(text) == escaped


def test_hostile_text_makes_no_markup_in_markdown() -> None:
    hostile = replace(
        ANSWER,
        question="**x** <b> [a](http://e)",
        statements=(Statement("<img src=x> ![i](http://e) \x1b[2J", (1,), "supported"),),
        citations=(Citation(1, HOSTILE),),
        hits=HITS,
    )
    markdown = render.answer_markdown(hostile).removeprefix("**").replace("**\n", "\n", 1)
    assert "\x1b" not in markdown
    assert not re.search(r"(?<!\\)[<>$`*]", markdown)
    assert not re.search(r"(?<!\\)\]\(", markdown)
