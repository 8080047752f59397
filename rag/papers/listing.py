"""Saved listing pages: page furniture, a date, then title and abstract in turn, a blank line between. Read only.

    Get trending papers in your email inbox!

    Jun 6

    Calibrated Language Models Must Hallucinate

    Recent language models have a mysterious tendency to generate false but plausible-sounding text. ...

Such a page says nothing of years, authors or links: the date is the listing's. What is a title and what an abstract is
told by shape, not by counting, so that one block too many or too few costs one entry and not all that follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path

from rag.papers.reading import Draft, Problem

_DATE = re.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6} \d{1,2}(?:, \d{4})?")
_MAX_FURNITURE = 20
_MAX_TITLE = 300


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines without a blank one between them."""

    line: int
    text: str

    @property
    def is_abstract(self) -> bool:
        """Long, or sentences: a title is neither, though it may end in a question mark."""
        return len(self.text) > _MAX_TITLE or (self.text.endswith(".") and len(self.text.split()) >= 12)


def recognises(text: str, path: Path) -> bool:
    """Whether this is such a page: a date and then an entry; a `.txt` file may do without the date."""
    paired = any(not one.is_abstract and two.is_abstract for one, two in pairwise(_body(_blocks(text[:100_000]))))
    return paired and (dated(text) or path.suffix.lower() == ".txt")


def dated(text: str) -> bool:
    """Whether the date of a listing is there: without it, any prose looks like one."""
    return any(_DATE.fullmatch(block.text) for block in _blocks(text[:100_000])[:_MAX_FURNITURE])


def read(text: str, path: Path) -> Iterator[Draft | Problem]:
    """The entries of the page, in order."""
    blocks, place = _body(_blocks(text)), 0
    while place < len(blocks):
        title, paragraphs = blocks[place], _abstracts_from(blocks, place + 1)
        if title.is_abstract:
            yield Problem(path, title.line, "an abstract without a title: skipped")
            place += 1
        elif not paragraphs:
            yield Problem(path, title.line, "no abstract: skipped")
            place += 1
        else:
            if len(paragraphs) > 1:
                yield Problem(path, paragraphs[1].line, "a second paragraph: taken for the abstract's")
            yield Draft(title.line, title.text, " ".join(block.text for block in paragraphs))
            place += 1 + len(paragraphs)


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip():
            lines.append(line.strip())
        elif lines:
            blocks.append(_Block(number - len(lines), " ".join(lines)))
            lines = []
    return blocks


def _body(blocks: list[_Block]) -> list[_Block]:
    """The blocks after the date; where there is none, from the title of the first abstract on."""
    for place, block in enumerate(blocks[:_MAX_FURNITURE]):
        if _DATE.fullmatch(block.text):
            return blocks[place + 1 :]
    first = next((place for place, block in enumerate(blocks[:_MAX_FURNITURE]) if block.is_abstract), 1)
    return blocks[max(0, first - 1) :]


def _abstracts_from(blocks: list[_Block], place: int) -> list[_Block]:
    """The paragraphs from `place` on, up to the next title; more than ten are no abstract."""
    return list(takewhile(lambda block: block.is_abstract, blocks[place : place + 10]))
