"""RIS, as reference managers export it, in and out; the only door to rispy.

    TY  - JOUR
    TI  - A Title
    AU  - Author, Anna
    PY  - 2020
    AB  - An abstract.
    ER  -

Each record is parsed by itself, so that a broken one costs itself and not its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.papers import authors
from rag.papers.reading import Draft, Problem
from rag.records import Paper

_START = re.compile(r"TY  ?- ?")
_END = re.compile(r"ER  ?-")
_TAG = re.compile(r"([A-Z][A-Z0-9])  ?-(?: |$)")
_TEXTS = ("AB", "N2")


def recognises(text: str, path: Path) -> bool:  # noqa: ARG001  (every format is asked the same)
    """Whether a record begins within the first lines; exporters may put their name and a number before it."""
    return any(_START.match(line) for line in text[:20_000].split("\n")[:20])


def read(text: str, path: Path) -> Iterator[Draft | Problem]:
    """The records, in order."""
    for line, lines in _records(text):
        if not _START.match(lines[0]):
            yield Problem(path, line, "a record without its TY line: skipped")
        else:
            yield _parsed(lines, path, line)


def write(papers: Sequence[Paper]) -> str:
    """The papers as RIS."""
    import rispy

    return str(rispy.dumps([_entry(paper) for paper in papers])) if papers else ""


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The line at which each record begins, and its lines without the one that ends it."""
    begun, lines = 1, list[str]()
    for number, line in enumerate(text.split("\n"), start=1):
        if _START.match(line) and lines:
            yield begun, lines
            lines = []
        if _END.match(line):
            if lines:
                yield begun, lines
            lines = []
        elif line.strip() and (lines or _TAG.match(line)):
            begun, lines = (begun, lines) if lines else (number, [])
            lines.append(line)
    if lines:
        yield begun, lines


def _parsed(lines: Sequence[str], path: Path, line: int) -> Draft | Problem:
    import rispy

    try:
        records = rispy.loads("\n".join([*_tidy(lines), "ER  - "]))
    except Exception as error:  # rispy lets whatever its bookkeeping trips over escape
        return Problem(path, line, f"not valid RIS ({type(error).__name__}): skipped")
    return _draft(records[0], line) if records else Problem(path, line, "not valid RIS: skipped")


def _tidy(lines: Sequence[str]) -> list[str]:
    """The lines as rispy wants them: tags spaced, and a repeated abstract behind the first, as only one is kept."""
    fields: list[list[str]] = []
    texts: dict[str, list[str]] = {}
    field: list[str] = []
    for line in lines:
        match = _TAG.match(line)
        if match is None:
            field.append(line)
            continue
        tag, rest = match.group(1), line[match.end() :]
        if tag in texts:
            field = texts[tag]
            field.append(rest)
        else:
            field = [f"{tag}  - {rest}"]
            fields.append(field)
            texts |= {tag: field} if tag in _TEXTS else {}
    return [line for field in fields for line in field]


def _draft(record: Mapping[str, Any], line: int) -> Draft:
    def field(*names: str) -> str:
        values = (record.get(name) for name in names)
        return next((str(value) for value in values if isinstance(value, str) and value.strip()), "")

    names = [*record.get("first_authors", []), *record.get("authors", [])]
    return Draft(
        line=line,
        title=field("title", "primary_title"),
        abstract=field("abstract", "notes_abstract"),
        authors=[authors.in_order(str(name)) for name in names],
        year=field("year", "publication_year", "date"),
        venue=field("journal_name", "secondary_title", "alternate_title3", "alternate_title2"),
        url=next((str(url) for url in record.get("urls", []) if str(url).strip()), ""),
        doi=field("doi"),
        aliases=[field("id")],
    )


def _entry(paper: Paper) -> dict[str, object]:
    fields: dict[str, object] = {
        "type_of_reference": "JOUR" if paper.venue else "GEN",
        "id": paper.paper_id,
        "title": paper.title,
        "authors": list(paper.authors),
        "year": str(paper.year or ""),
        "journal_name": paper.venue,
        "doi": paper.doi,
        "urls": [paper.url] if paper.url else [],
        "abstract": paper.abstract,
    }
    return {name: value for name, value in fields.items() if value}
