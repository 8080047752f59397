"""Finding papers in the collection by their words and years, for the person who does not know what to ask.

Knows no page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.errors import BadInput
from rag.records import Paper, Scope
from rag.text import normalise

MAX_WANTED = 200
"""Characters of the search field that count."""

_YEARS = re.compile(r"(\d{4})|(\d{4})?\s*[-–—]\s*(\d{4})?")


def read_years(written: str) -> Scope:
    """The years that were written: 2020, 2020-2023, 2020- or -2023, all where nothing was.

    Raises BadInput where it is no years.
    """
    if not written.strip():
        return Scope()
    found = _YEARS.fullmatch(written.strip())
    if found is None:
        raise BadInput(f"years are written like 2020, 2020-2023, 2020- or -2023, not {normalise(written, limit=20)!r}")
    only, first, last = (int(year) if year else None for year in found.groups())
    return Scope(year_from=only or first, year_to=only or last)


def matching(papers: Iterable[Paper], wanted: str, years: Scope = Scope()) -> list[Paper]:
    """The papers of these years with every word of `wanted` at the beginning of a word of theirs.

    Those that have all the words in their title come first; otherwise the order stays.
    """
    words = [_beginning(word) for word in normalise(wanted, limit=MAX_WANTED).split()]
    found = [paper for paper in papers if years.holds(paper) and _has(words, _everything(paper))]
    return sorted(found, key=lambda paper: not _has(words, paper.title)) if words else found


def _beginning(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE)


def _has(words: Iterable[re.Pattern[str]], text: str) -> bool:
    return all(word.search(text) for word in words)


def _everything(paper: Paper) -> str:
    return " ".join((paper.title, paper.abstract, *paper.authors, paper.venue, str(paper.year or "")))
