"""Entries of the same paper become one: by DOI, by arXiv id, by title together with a similar abstract.

Abstracts of one supplement share its DOI: where an identifier is all that two entries share, both stay, and it is told.
The first entry stays, text and all, so that offsets into its abstract hold; the others fill its empty fields and leave
their names as aliases. Knows no files and no formats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import replace
from typing import Final, Literal

from rag.papers.identifiers import of_title, title_key
from rag.papers.reading import Merge, Problem, Record
from rag.records import Paper
from rag.text import terms

SIMILAR: Final = 0.6
"""Jaccard overlap of the abstracts' terms from which two papers of one title are one: versions of an abstract share
most of their words, abstracts of different papers seldom a quarter."""

_RELATED: Final = 1 / 3
"""Part of the shorter abstract's terms from which two entries of one identifier but different titles are one: 99 of 100
pairs of different papers of the shipped collection, all of one field, share less."""

_MAX_COMPARED = 20
"""Papers of one title that a further one is compared with: a thousand "Editorial"s must not cost a million."""

_MAX_ALIASES = 50


def merge(records: Iterable[Record]) -> tuple[tuple[Paper, ...], tuple[Merge, ...], tuple[Problem, ...]]:
    """The different papers in order of first appearance, what was merged into which, and what was kept apart."""
    shelf = _Shelf()
    for record in records:
        shelf.add(record)
    return tuple(shelf.papers), tuple(shelf.merges), tuple(shelf.problems)


class _Shelf:
    """The papers so far, found by every name they have."""

    def __init__(self) -> None:
        self.papers: list[Paper] = []
        self.merges: list[Merge] = []
        self.problems: list[Problem] = []
        self._by_name: dict[str, int] = {}
        self._by_title: defaultdict[str, list[int]] = defaultdict(list)
        self._ids: set[str] = set()
        self._terms: dict[int, frozenset[str]] = {}

    def add(self, record: Record) -> None:
        named = self._named_alike(record.paper)
        another = named is not None and self._differ(named[0], record.paper)
        found = self._titled_alike(record.paper) if named is None or another else named
        if found is not None:
            self._merge(record, *found)
        elif named is not None:
            self._put(self._renamed(record.paper))
            self.problems.append(Problem(record.path, record.line, self._shared(*named)))
        else:
            self._put(record.paper)

    def _merge(self, record: Record, place: int, by: Literal["doi", "arxiv", "title"]) -> None:
        kept = self.papers[place] = _filled(self.papers[place], record.paper, self._ids)
        self._register(kept, place)
        title = record.paper.title if title_key(record.paper.title) != title_key(kept.title) else ""
        self.merges.append(Merge(kept.paper_id, record.path, record.line, by, title))

    def _shared(self, place: int, by: str) -> str:
        return f"the same {by} as {self.papers[place].paper_id}, yet another title and abstract: both kept"

    def _renamed(self, paper: Paper) -> Paper:
        """The paper without the names that lead to another."""
        paper_id = of_title(paper.title) if paper.paper_id in self._by_name else paper.paper_id
        return replace(paper, paper_id=paper_id, aliases=tuple(n for n in paper.aliases if n not in self._by_name))

    def _put(self, paper: Paper) -> None:
        paper = replace(paper, paper_id=self._free(paper.paper_id))
        self._ids.add(paper.paper_id)
        self.papers.append(paper)
        self._register(paper, len(self.papers) - 1)
        self._by_title[title_key(paper.title)].append(len(self.papers) - 1)

    def _register(self, paper: Paper, place: int) -> None:
        for name in _identifiers(paper):
            self._by_name.setdefault(name, place)

    def _free(self, paper_id: str) -> str:
        """The id, with a suffix where another paper has it."""
        free, number = paper_id, 2
        while free in self._ids:
            free, number = f"{paper_id}-{number}", number + 1
        return free

    def _named_alike(self, paper: Paper) -> tuple[int, Literal["doi", "arxiv"]] | None:
        for name in _identifiers(paper):
            if name in self._by_name:
                return self._by_name[name], "doi" if name.startswith("doi:") else "arxiv"
        return None

    def _titled_alike(self, paper: Paper) -> tuple[int, Literal["title"]] | None:
        for place in self._by_title.get(title_key(paper.title), [])[:_MAX_COMPARED]:
            if self._alike(place, paper.abstract):
                return place, "title"
        return None

    def _alike(self, place: int, abstract: str) -> bool:
        kept = self.papers[place].abstract
        if abstract in kept or kept in abstract:
            return True
        ours, theirs = self._terms_at(place), frozenset(terms(abstract))
        return len(ours & theirs) >= SIMILAR * max(1, len(ours | theirs))

    def _differ(self, place: int, paper: Paper) -> bool:
        """Whether neither title is part of the other, and the abstracts have little in common."""
        one, other = title_key(self.papers[place].title), title_key(paper.title)
        if one in other or other in one:
            return False
        ours, theirs = self._terms_at(place), frozenset(terms(paper.abstract))
        return len(ours & theirs) < _RELATED * min(len(ours), len(theirs))

    def _terms_at(self, place: int) -> frozenset[str]:
        if place not in self._terms:
            self._terms[place] = frozenset(terms(self.papers[place].abstract))
        return self._terms[place]


def _identifiers(paper: Paper) -> list[str]:
    names = [f"doi:{paper.doi}"] if paper.doi else []
    return names + [name for name in (paper.paper_id, *paper.aliases) if name.startswith(("doi:", "arxiv:"))]


def _filled(kept: Paper, dropped: Paper, taken: Set[str]) -> Paper:
    """`kept` with what only `dropped` knows; the text stays. A name in `taken` is another paper's own."""
    names = dict.fromkeys([*kept.aliases, dropped.paper_id, *dropped.aliases])
    return replace(
        kept,
        authors=kept.authors or dropped.authors,
        year=kept.year or dropped.year,
        venue=kept.venue or dropped.venue,
        url=kept.url or dropped.url,
        doi=kept.doi or dropped.doi,
        aliases=tuple(name for name in names if name not in taken)[:_MAX_ALIASES],
    )
