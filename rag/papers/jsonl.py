"""JSON lines, or one JSON array: Footnote's own records, the arXiv metadata snapshot's, BEIR's and CSL's.

    {"paper_id": "doi:10.5555/1", "title": "...", "abstract": "...", "authors": ["A. Author"], "year": 2020}
    {"id": "2301.00001", "title": "...", "abstract": "...", "authors": "A. Author and B. Author",
     "versions": [{"version": "v1", "created": "Mon, 2 Jan 2023 19:00:00 GMT"}], "update_date": "2023-02-01"}
    {"_id": "4983", "title": "...", "text": "..."}

A field of the wrong type counts as absent; a line that is not JSON costs that line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from rag.papers import authors
from rag.papers.reading import Draft, Problem
from rag.records import Paper
from rag.serialise import paper_json

Entry = Mapping[str, object]

_ELEMENT = re.compile(r"\n\s*(?=\{)")
_BETWEEN = re.compile(r"[\s,\[\]]*")
_DECODER = json.JSONDecoder()


def recognises(text: str, path: Path) -> bool:  # noqa: ARG001  (every format is asked the same)
    """Whether this is JSON: it begins with an object or an array of objects."""
    return re.match(r"\s*(?:\[\s*)?\{\s*[\"}]|\s*\[\s*\]", text) is not None


def read(text: str, path: Path) -> Iterator[Draft | Problem]:
    """The entries, in order."""
    for line, value in _values(text):
        if isinstance(value, dict):
            yield _draft({str(key).casefold(): field for key, field in value.items()}, line)
        else:
            yield Problem(path, line, value if isinstance(value, str) else "not a JSON object: skipped")


def write(papers: Sequence[Paper]) -> str:
    """The papers as JSON lines that `read` turns into the same papers, ids and aliases included."""
    return "".join(json.dumps(_entry(paper), ensure_ascii=False) + "\n" for paper in papers)


def _entry(paper: Paper) -> dict[str, object]:
    """The record without its source, which is the file that it is read from next time."""
    return {key: value for key, value in paper_json(paper).items() if key != "source"}


def _values(text: str) -> Iterator[tuple[int, object]]:
    """Line numbers with JSON values, or with a text that says why there is none."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if isinstance(_parsed(lines[0][1]), dict):
        for number, line in lines:
            value = _parsed(line)
            yield number, "not valid JSON: skipped" if value is None else value
    else:  # an array, or objects over several lines each
        yield from _elements(text)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # ValueError also for a number with more digits than Python reads
        return None


def _elements(text: str) -> Iterator[tuple[int, object]]:
    """The objects of an array or in a row; after a broken one, it goes on at the next that begins a line."""
    place, line, counted = 0, 1, 0
    while (place := _skipped(text, place)) < len(text):
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = _DECODER.raw_decode(text, place)
            yield line, value
        except (ValueError, RecursionError):
            yield line, "not valid JSON: skipped"
            following = _ELEMENT.search(text, place)
            place = following.end() if following else len(text)


def _skipped(text: str, place: int) -> int:
    """The next place that is neither white space nor punctuation between elements."""
    match = _BETWEEN.match(text, place)
    return match.end() if match else place


def _draft(entry: Entry, line: int) -> Draft:
    names = [_text(entry, key) for key in ("id", "_id")]
    return Draft(
        line=line,
        title=_text(entry, "title"),
        abstract=_text(entry, "abstract", "text"),
        authors=_authors(entry),
        year=_year(entry),
        venue=_text(entry, "venue", "journal-ref", "journal", "container-title"),
        url=_text(entry, "url", "link"),
        doi=_text(entry, "doi"),
        arxiv=_arxiv(entry),
        paper_id=_text(entry, "paper_id"),
        aliases=[*(name for name in names if name and name != _arxiv(entry)), *_texts(entry.get("aliases"))],
    )


def _text(entry: Entry, *keys: str) -> str:
    """The first of these fields that is a text with something in it."""
    values = (entry.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _arxiv(entry: Entry) -> str:
    """The arXiv id, where it is named so, or where the entry looks like one of the arXiv snapshot."""
    snapshot = any(key in entry for key in ("versions", "update_date", "categories", "authors_parsed"))
    return _text(entry, "arxiv", "arxiv_id", "eprint") or (_text(entry, "id") if snapshot else "")


def _year(entry: Entry) -> object:
    """The year given, else that of the first version, else of the last update, else CSL's."""
    versions, issued = entry.get("versions"), entry.get("issued")
    first = versions[0] if isinstance(versions, list) and versions else None
    parts = issued.get("date-parts") if isinstance(issued, dict) else None
    while isinstance(parts, list) and parts:
        parts = parts[0]
    created = first.get("created") if isinstance(first, dict) else None
    return entry.get("year") or created or entry.get("update_date") or parts


def _authors(entry: Entry) -> Sequence[str]:
    parsed = entry.get("authors_parsed")
    value = parsed if isinstance(parsed, list) and parsed else entry.get("authors") or entry.get("author")
    if isinstance(value, str):
        return authors.from_list(value)
    if isinstance(value, list):
        return [_name(item) for item in islice(value, 10_000)]
    return ()


def _name(value: object) -> str:
    """A name given as text, as an object, or as arXiv's `[family, given, suffix, affiliation, ...]`."""
    if isinstance(value, dict):
        given, family, name = (_text(value, *keys) for keys in (["given"], ["family"], ["name", "literal"]))
        return name or f"{given} {family}".strip()
    if isinstance(value, list):
        family, given, suffix = (*_texts(value), "", "", "")[:3]
        return " ".join(part for part in (given, family, suffix) if part)
    return value if isinstance(value, str) else ""
