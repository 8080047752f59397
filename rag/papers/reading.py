"""What reading papers yields: drafts turned into papers, merges, problems; knows no file format.

A draft is what a reader found, untouched. Turning it into a `Paper` decodes, normalises, cuts what is too long,
keeps of the rest what is what it claims to be, and gives the paper its id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from rag.papers import identifiers, latex, markup
from rag.records import Paper
from rag.text import normalise

MAX_TITLE: Final = 1_000
MAX_ABSTRACT: Final = 20_000
MAX_AUTHORS: Final = 5_000
"""The longest author lists in print have about as many names."""

_MAX_FIELD = 2_000
_NOTHING = frozenset({"", "-", "n/a", "na", "nan", "none", "null", "no abstract", "no abstract available"})
"""What exporters write where there is no abstract."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One entry as it stands in a file, whose `line` (from 1) it begins at; `braces` are BibTeX's and to go."""

    line: int
    title: str = ""
    abstract: str = ""
    authors: Sequence[str] = ()
    year: object = None
    venue: str = ""
    url: str = ""
    doi: str = ""
    arxiv: str = ""
    paper_id: str = ""
    aliases: Sequence[str] = ()
    braces: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that was skipped, or not taken as it stands."""

    path: Path
    line: int | None
    reason: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line is not None else f"{self.path}"
        return f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Merge:
    """An entry that was found to be a paper already read, and what showed it; `title` is its own where that differs."""

    kept: str
    path: Path
    line: int | None
    by: Literal["doi", "arxiv", "title"]
    title: str = ""

    def __str__(self) -> str:
        besides = f", though titled {self.title!r}" if self.title else ""
        return f"{self.path}:{self.line}: the same {self.by} as {self.kept}: merged{besides}"


@dataclass(frozen=True, slots=True)
class Record:
    """A paper and where it was read."""

    paper: Paper
    path: Path
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The different papers of some files, in order; `entries` counts them before duplicates were merged.

    `unreadable` are the files and folders that gave no records because they could not be read: whoever keeps papers
    of theirs should not take them for gone.
    """

    papers: tuple[Paper, ...]
    entries: int
    merged: tuple[Merge, ...] = ()
    problems: tuple[Problem, ...] = ()
    unreadable: tuple[Path, ...] = ()


def finish(draft: Draft, path: Path) -> tuple[Record | None, list[Problem]]:
    """The record that the draft stands for, None where it lacks a title or an abstract; and what was wrong."""
    title = _text(draft.title, MAX_TITLE, draft)
    abstract = _text(draft.abstract, MAX_ABSTRACT, draft)
    if not title:
        return None, [Problem(path, draft.line, "no title: skipped")]
    if abstract.strip("[]. ").casefold() in _NOTHING:
        return None, [Problem(path, draft.line, "no abstract: skipped")]
    cuts = [_cut("title", title, MAX_TITLE), _cut("abstract", abstract, MAX_ABSTRACT)]
    paper = _paper(draft, title[:MAX_TITLE].rstrip(), abstract[:MAX_ABSTRACT].rstrip(), path)
    return Record(paper, path, draft.line), [Problem(path, draft.line, cut) for cut in cuts if cut]


def _paper(draft: Draft, title: str, abstract: str, path: Path) -> Paper:
    doi = identifiers.doi(draft.doi) or identifiers.doi(draft.url)
    arxiv = identifiers.arxiv(draft.arxiv) or identifiers.arxiv(draft.doi) or identifiers.arxiv(draft.url)
    own = identifiers.own(draft.paper_id)
    ids = [own, *identifiers.names(doi, arxiv), identifiers.of_title(title)]
    given = [alias for alias in (identifiers.own(alias) for alias in draft.aliases) if alias]
    paper_id, *others = [name for name in ids if name]
    # The title's own name is no alias: it would point to this paper from every other of the same title.
    aliases = dict.fromkeys(name for name in [*others[:-1], *given] if name != paper_id)
    return Paper(
        paper_id=paper_id,
        title=title,
        abstract=abstract,
        authors=_authors(draft),
        year=year(draft.year),
        venue=_text(draft.venue, _MAX_FIELD, draft)[:_MAX_FIELD],
        url=identifiers.url(draft.url) or (f"https://arxiv.org/abs/{arxiv}" if arxiv else ""),
        doi=doi,
        source=str(path),
        aliases=tuple(aliases),
    )


def year(value: object) -> int | None:
    """The year, 1500 to 2099, that a number or a text such as "2 Apr 2007" names."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    found = re.search(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)", str(value)[:100])
    return int(found.group()) if found else None


def _authors(draft: Draft) -> tuple[str, ...]:
    names = (_text(name, 300, draft)[:300] for name in draft.authors[:MAX_AUTHORS])
    return tuple(name for name in names if name)


def _text(text: str, limit: int, draft: Draft) -> str:
    """Decoded and normalised, a little longer than `limit` where it is too long."""
    return normalise(markup.plain(latex.decode(text[: 4 * limit], braces=draft.braces)), limit=limit + 1)


def _cut(name: str, text: str, limit: int) -> str:
    return f"{name} cut to {limit:,} characters" if len(text) > limit else ""
