"""Saved listing pages: told by shape, so that an odd block costs one entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.papers import read_papers
from rag.papers.listing import read, recognises
from rag.papers.reading import Draft

LONG = "This abstract says enough to be seen as one, and it says so in a sentence of many words. It ends here."
HEAD = "new\n\nSubscribe\n\nJun 6\n\n"


def titles(text: str) -> list[str]:
    return [item.title for item in read(text, Path("a.txt")) if isinstance(item, Draft)]


def problems(text: str) -> list[tuple[int | None, str]]:
    return [(item.line, item.reason) for item in read(text, Path("a.txt")) if not isinstance(item, Draft)]


def test_entries_with_their_lines() -> None:
    drafts = list(read(f"{HEAD}One\n\n{LONG}\n\n\nTwo?\n\n{LONG}\nMore of it.\n", Path("a.txt")))
    assert drafts == [Draft(7, "One", LONG), Draft(12, "Two?", f"{LONG} More of it.")]


@pytest.mark.parametrize(
    ("body", "kept", "reason"),
    [
        (f"One\n\nTwo\n\n{LONG}\n\nThree\n\n{LONG}", ["Two", "Three"], "no abstract: skipped"),
        (f"One\n\n{LONG}\n\nTwo", ["One"], "no abstract: skipped"),
        (f"{LONG}\n\nTwo\n\n{LONG}", ["Two"], "an abstract without a title: skipped"),
        (f"One\n\n{LONG}\n\n{LONG}\n\nTwo\n\n{LONG}", ["One", "Two"], "a second paragraph: taken for the abstract's"),
    ],
    ids=["two-titles", "title-at-the-end", "abstract-first", "two-paragraphs"],
)
def test_an_odd_block_does_not_shift_what_follows(body: str, kept: list[str], reason: str) -> None:
    assert titles(HEAD + body) == kept
    assert [told for _, told in problems(HEAD + body)] == [reason]


def test_the_problem_names_its_line() -> None:
    assert problems(f"{HEAD}One\n\n{LONG}\n\nTwo\n") == [(11, "no abstract: skipped")]


def test_without_a_date_a_text_file_begins_at_its_first_entry() -> None:
    assert titles(f"Menu\n\nLog in\n\nOne\n\n{LONG}") == ["One"]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (f"{HEAD}One\n\n{LONG}", "page", True),
        (f"One\n\n{LONG}", "page.txt", True),
        (f"One\n\n{LONG}", "notes.md", False),
        ("One\n\nTwo", "page.txt", False),
        (LONG, "page.txt", False),
        ("", "page.txt", False),
    ],
    ids=["dated", "txt", "other", "no-abstracts", "no-titles", "empty"],
)
def test_recognises(text: str, name: str, expected: bool) -> None:
    assert recognises(text, Path(name)) is expected


def test_the_listing_date_is_no_publication_date(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"new\n\nJun 6, 2024\n\nOne\n\n{LONG}")
    assert read_papers([path], strict=True).papers[0].year is None
