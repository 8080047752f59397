"""Tables with a header row: CSV, TSV, and those that separate by semicolon or bar. Read only.

    Title,Authors,Year,Abstract
    "A Title, with a comma","Author, Anna; Writer, Bo",2020,"An abstract
    over two lines."

Columns are found by the names that spreadsheets and reference managers give them, in any case and order; "TI" and its
like are Web of Science's. A line may stand before them: "sep=;", or what an exporter says of itself.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path

from rag.papers import authors
from rag.papers.reading import Draft, Problem

_NAMES = {
    "title": ("title", "document title", "article title", "paper title", "ti"),
    "abstract": ("abstract", "abstract note", "description", "summary", "ab"),
    "authors": ("author full names", "authors", "author", "author names", "af", "au"),
    "year": ("year", "publication year", "pub year", "pubyear", "date", "publication date", "published", "py"),
    "venue": ("venue", "journal", "publication title", "source title", "journal/book", "conference", "so"),
    "url": ("url", "link", "urls"),
    "doi": ("doi", "di"),
    "arxiv": ("arxiv", "arxiv id", "arxiv_id"),
    "key": ("key", "id", "citation key", "paper_id", "paper id", "ut"),
}
_DELIMITERS = (",", "\t", ";", "|")
_MAX_HEADER = 3
"""Lines that are not blank among which the header is looked for."""

_MAX_ROW = 500
"""Lines that one row may run over: more comes of a quotation mark that is never closed."""

Row = Sequence[str]


def recognises(text: str, path: Path) -> bool:  # noqa: ARG001  (every format is asked the same)
    """Whether one of the first lines names a title and an abstract column."""
    return _header(text) is not None


def read(text: str, path: Path) -> Iterator[Draft | Problem]:
    """The rows, in order. One that does not fit costs its first line; reading goes on at the next line."""
    header = _header(text)
    if header is None:
        return
    delimiter, columns, width, place = header
    lines = [line + "\n" for line in text.split("\n")]
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        row, used = _row(lines, place, delimiter, width)
        yield _draft(row, columns, place + 1) if row else Problem(path, place + 1, _misfit(width))
        place += used


def _header(text: str) -> tuple[str, dict[str, int], int, int] | None:
    """Delimiter, column places by field, number of columns, and the line after the header; None without one."""
    lines = text[:20_000].split("\n")
    first = [place for place, line in enumerate(lines) if line.strip()][:_MAX_HEADER]
    for place, delimiter in product(first, _DELIMITERS):
        names = [name.strip().casefold() for name in _lenient(lines[place], delimiter)]
        columns = {field: column for field, column in _places(names) if column is not None}
        if {"title", "abstract"} <= columns.keys():
            return delimiter, columns, len(names), place + 1
    return None


def _places(names: Row) -> Iterator[tuple[str, int | None]]:
    for field, known in _NAMES.items():
        yield field, next((names.index(name) for name in known if name in names), None)


def _row(lines: list[str], place: int, delimiter: str, width: int) -> tuple[Row | None, int]:
    """The row that begins at `lines[place]`, None if there is none of at most `width` cells; lines it took.

    Strict first, as a lenient parser lets a quotation mark that is never closed swallow the rows below it; then, as
    many programs write quotation marks bare, the line by itself leniently.
    """
    csv.field_size_limit(max(csv.field_size_limit(), len(lines[place]), 10_000_000))
    reader = csv.reader(islice(lines, place, place + _MAX_ROW), delimiter=delimiter, strict=True)
    try:
        row = next(reader)
        if len(row) == width or (len(row) < width and reader.line_num == 1):
            return row, reader.line_num
    except csv.Error:
        alone = _lenient(lines[place], delimiter)
        if len(alone) == width:
            return alone, 1
    return None, 1


def _lenient(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line.rstrip("\n")], delimiter=delimiter), [])


def _misfit(width: int) -> str:
    return f"not a row of {width} columns (a stray quotation mark or separator?): skipped"


def _draft(row: Row, columns: dict[str, int], line: int) -> Draft:
    def cell(field: str) -> str:
        place = columns.get(field)
        return row[place] if place is not None and place < len(row) else ""

    return Draft(
        line=line,
        title=cell("title"),
        abstract=cell("abstract"),
        authors=authors.from_list(cell("authors")),
        year=cell("year"),
        venue=cell("venue"),
        url=cell("url"),
        doi=cell("doi"),
        arxiv=cell("arxiv"),
        aliases=[cell("key")],
    )
