"""A numbered reference list in Markdown, for people. Written only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.records import Paper

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&])")
_SHOWN_AUTHORS = 6


def write(papers: Sequence[Paper]) -> str:
    """One line a paper: authors, year, title (linked where there is an address), venue."""
    return "".join(f"{number}. {_reference(paper)}\n" for number, paper in enumerate(papers, start=1))


def _reference(paper: Paper) -> str:
    address = paper.url or (f"https://doi.org/{paper.doi}" if paper.doi else "")
    title = f"[{_escaped(paper.title)}](<{_address(address)}>)" if address else f"*{_escaped(paper.title)}*"
    parts = [_authors(paper), f"({paper.year})" if paper.year else "", title]
    closing = f". {_escaped(paper.venue)}." if paper.venue else "."
    return " ".join(part for part in parts if part) + closing


def _authors(paper: Paper) -> str:
    more = len(paper.authors) > _SHOWN_AUTHORS
    names = [*paper.authors[:_SHOWN_AUTHORS], *(["et al."] if more else [])]
    return _escaped(", ".join(names))


def _address(address: str) -> str:
    return address.replace("<", "%3C").replace(">", "%3E")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
