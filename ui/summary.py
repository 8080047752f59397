"""A summary laid out: which paper stands under which heading, and which papers face each other.

    On cosine decay                         a section
        [1]  statements 0 and 1             a part of it: what is stated of one paper
        [2]  statement 2
        [1] and [2] may disagree

Knows no rendering.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from rag.records import Answer, Citation, Theme

OTHERS = "Also"
"""What stands above papers that share no theme, where they come after others."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a summary states of one paper: `places` count the answer's statements from 0."""

    citation: Citation
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The papers of a theme under their heading, which is empty where they share none and come first.

    `opposed` are pairs of citation numbers: those papers may disagree.
    """

    heading: str
    parts: tuple[Part, ...]
    opposed: tuple[tuple[int, int], ...] = ()

    @property
    def rows(self) -> tuple[tuple[Part, ...], ...]:
        """The parts in order, those that may disagree in one row, which stands where the first of them would."""
        rows: list[tuple[Part, ...]] = []
        for part in self.parts:
            facing = [row for row in rows if any(self._oppose(part, other) for other in row)]
            row = (*chain(*facing), part)
            place = rows.index(facing[0]) if facing else len(rows)
            rows = [*rows[:place], row, *(each for each in rows[place:] if each not in facing)]
        return tuple(rows)

    def _oppose(self, one: Part, other: Part) -> bool:
        pair = one.citation.number, other.citation.number
        return pair in self.opposed or pair[::-1] in self.opposed


def sections(answer: Answer) -> tuple[Section, ...]:
    """The sections of a summary, as far as it goes; an ordinary answer has none.

    Papers of which nothing is stated are left out. While an answer grows, only its last section does.
    """
    if not answer.themes:
        return ()
    parts = _parts(answer)
    known = set(chain.from_iterable(theme.paper_ids for theme in answer.themes))
    others = Theme("", tuple(paper_id for paper_id in parts if paper_id not in known))
    found: list[Section] = []
    for theme in (*answer.themes, others):
        section = _section(theme, parts, OTHERS if found else "")
        if found and not theme.about and found[-1].heading in ("", OTHERS):
            section = _joined(found.pop(), section)
        if section.parts:
            found.append(section)
    return tuple(found)


def listed(numbers: Iterable[int]) -> str:
    """Citation numbers in a sentence: [1] and [3]."""
    return " and ".join(f"[{number}]" for number in numbers)


def _parts(answer: Answer) -> dict[str, Part]:
    """What is stated of each paper; a statement belongs to the paper that it cites first."""
    cited = {citation.number: citation for citation in answer.citations}
    parts: dict[str, Part] = {}
    for place, statement in enumerate(answer.statements):
        citation = cited[statement.citations[0]]
        before = parts.get(citation.paper.paper_id, Part(citation, ()))
        parts[citation.paper.paper_id] = replace(before, places=(*before.places, place))
    return parts


def _section(theme: Theme, parts: Mapping[str, Part], unnamed: str) -> Section:
    stated = tuple(parts[paper_id] for paper_id in theme.paper_ids if paper_id in parts)
    opposed = tuple(
        (parts[one].citation.number, parts[other].citation.number)
        for one, other in theme.opposed
        if one in parts and other in parts
    )
    return Section(f"On {theme.about}" if theme.about else unnamed, stated, opposed)


def _joined(one: Section, other: Section) -> Section:
    return replace(one, parts=(*one.parts, *other.parts), opposed=(*one.opposed, *other.opposed))
