"""Collections in and out: files become papers, papers become files. Knows no index and no model.

    reading.py       what reading yields: drafts, records, merges, problems
    files.py         paths to the text of files
    duplicates.py    entries of the same paper become one
    identifiers.py   DOI, arXiv id, the id made from a title
    authors.py       lists of names
    latex.py         LaTeX in text made plain
    markup.py        HTML and JATS in text made plain
    listing.py  jsonl.py  tables.py  bibtex.py  ris.py  csl.py  markdown.py
                     one module per format, reading and writing side by side
    pretraining/     the collection that ships with the package

A reader is a module with `recognises(text, path)` and `read(text, path)`; a writer has `write(papers)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rag.errors import BadInput, StrictProblem
from rag.papers import bibtex, csl, duplicates, files, jsonl, listing, markdown, ris, tables
from rag.papers.files import Found, Unreadable
from rag.papers.reading import Draft, Merge, Problem, Reading, Record, finish
from rag.records import Paper

__all__ = ["FORMATS", "Merge", "Problem", "Reading", "bundled", "read_papers", "write_papers"]

_READERS: Final = (jsonl, ris, bibtex, tables, listing)
"""In the order in which they are asked: the surest signs first, and free text last."""

_SUFFIXES: Final = frozenset({".bib", ".csv", ".json", ".jsonl", ".ndjson", ".ris", ".tsv", ".txt"})
"""A file in a folder that ends like this is meant to be read, so not being able to is worth saying."""

FORMATS: Final[dict[str, Callable[[Sequence[Paper]], str]]] = {
    "bibtex": bibtex.write,
    "csl": csl.write,
    "jsonl": jsonl.write,
    "markdown": markdown.write,
    "ris": ris.write,
}


def read_papers(paths: Sequence[Path], *, strict: bool = False) -> Reading:
    """The different papers in these files and folders, and all that was merged, skipped or unreadable.

    Raises BadInput for a path that does not exist, StrictProblem at the first problem where `strict`.
    """
    reader = _Reader(strict)
    for found in files.find(paths, reader.unlisted):
        reader.read(found)
    for folder in reader.unlisted:
        reader.note(Problem(folder, None, "cannot be listed: skipped"))
    papers, merged, kept_apart = duplicates.merge(reader.records)
    for problem in kept_apart:
        reader.note(problem)
    return Reading(
        papers=papers,
        entries=len(reader.records),
        merged=merged,
        problems=tuple(reader.problems),
        unreadable=(*reader.unlisted, *reader.unreadable),
    )


def write_papers(papers: Sequence[Paper], format: str) -> str:  # noqa: A002  (what the option is called)
    """The papers in one of `FORMATS`. Raises BadInput for another."""
    if format not in FORMATS:
        raise BadInput(f"unknown format {format!r}: choose one of {', '.join(FORMATS)}")
    return FORMATS[format](papers)


def bundled() -> Path:
    """The folder of the collection that ships with the package."""
    return Path(__file__).parent / "pretraining"


def _unknown(path: Path) -> str:
    if path.suffix.lower() in {".csv", ".tsv"}:
        return "not in a known format: a table needs a header that names title and abstract"
    return "not in a known format (BibTeX, RIS, CSV, JSON lines, a saved listing)"


class _Reader:
    """Reads file after file, keeping records and problems in order."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.records: list[Record] = []
        self.problems: list[Problem] = []
        self.unreadable: list[Path] = []
        self.unlisted: list[Path] = []

    def note(self, problem: Problem) -> None:
        if self.strict:
            raise StrictProblem(str(problem))
        self.problems.append(problem)

    def read(self, found: Found) -> None:
        """Read one file; where it yields nothing, it is unreadable, unless a folder only happens to hold it."""
        known = found.named or found.path.suffix.lower() in _SUFFIXES
        before = len(self.records)
        try:
            self._read_text(found)
        except Unreadable as error:
            if known:
                self.note(Problem(found.path, None, f"{error}: skipped"))
        if known and len(self.records) == before:
            self.unreadable.append(found.path)

    def _read_text(self, found: Found) -> None:
        text, guessed = files.load(found.path)
        reader = next((module for module in _READERS if module.recognises(text, found.path)), None)
        if reader is None:
            raise Unreadable(_unknown(found.path))
        if reader is listing and not found.named and not listing.dated(text):
            raise Unreadable("prose, or a list of papers without a date (then name the file itself)")
        if guessed is not None:
            self.note(Problem(found.path, guessed, "not UTF-8: read as Windows-1252"))
        for item in reader.read(text, found.path):
            self._take(item, found.path)

    def _take(self, item: Draft | Problem, path: Path) -> None:
        record, problems = (None, [item]) if isinstance(item, Problem) else finish(item, path)
        for problem in problems:
            self.note(problem)
        if record is not None:
            self.records.append(record)
