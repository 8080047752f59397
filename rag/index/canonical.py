"""The canonical files of a build, from which all else in it can be made again; one write and one read for each.

    papers.jsonl     one paper a line, in the order of the collection, the fields of `Paper`
    spans.jsonl      one paper a line, in the same order, offsets into the abstract:
                     {"paper_id": "…", "sentences": [[0, 71], …], "passages": [[0, 312], …]}
    sentences.npy    one row a sentence, in the order of the spans: content hash of the embedded text, vector
    passages.npy     the same for passages

With the spans at hand, reading needs neither the sentence splitter nor the embedder's tokenizer. Readers raise
ValueError, KeyError, TypeError or OSError on files that are not what they should be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.records import Paper

PAPERS = "papers.jsonl"
SPANS = "spans.jsonl"
SENTENCES = "sentences.npy"
PASSAGES = "passages.npy"
FILES = (PAPERS, SPANS, SENTENCES, PASSAGES)

Span = tuple[int, int]
Rows = NDArray[np.void]
"""A structured array with the fields `key`, 32 hexadecimal digits, and `vector`, float32 of the embedder's
dimension."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Where a paper's sentences and passages stand in its abstract."""

    paper_id: str
    sentences: tuple[Span, ...]
    passages: tuple[Span, ...]


def content_key(fingerprint: str, text: str) -> bytes:
    """What an embedded text is known by: the same text from the same embedder has the same vector."""
    return hashlib.sha256(f"{fingerprint}\0{text}".encode()).hexdigest()[:32].encode("ascii")


def empty_rows(count: int, dimension: int) -> Rows:
    """Rows still to be filled."""
    return np.zeros(count, dtype=[("key", "S32"), ("vector", "<f4", (dimension,))])


def write_papers(folder: Path, papers: Iterable[Paper]) -> None:
    """Write `papers.jsonl`."""
    _write_lines(folder / PAPERS, (asdict(paper) for paper in papers))


def read_papers(folder: Path) -> tuple[Paper, ...]:
    """The papers of a build."""
    return tuple(
        Paper(**(fields | {"authors": tuple(fields["authors"]), "aliases": tuple(fields["aliases"])}))
        for fields in _read_lines(folder / PAPERS)
    )


def write_spans(folder: Path, spans: Iterable[Spans]) -> None:
    """Write `spans.jsonl`."""
    _write_lines(folder / SPANS, (asdict(each) for each in spans))


def read_spans(folder: Path) -> tuple[Spans, ...]:
    """The spans of a build, one for each paper, in the papers' order."""
    return tuple(
        Spans(fields["paper_id"], _pairs(fields["sentences"]), _pairs(fields["passages"]))
        for fields in _read_lines(folder / SPANS)
    )


def write_rows(path: Path, rows: Rows) -> None:
    """Write `sentences.npy` or `passages.npy`."""
    np.save(path, rows, allow_pickle=False)


def read_rows(path: Path) -> Rows:
    """The rows of such a file, mapped: only what is looked at is read."""
    rows: Rows = np.load(path, mmap_mode="r", allow_pickle=False)
    if rows.dtype.names != ("key", "vector"):
        raise ValueError(f"{path} holds {rows.dtype}, not keys and vectors")
    return rows


def _pairs(spans: Sequence[Sequence[int]]) -> tuple[Span, ...]:
    return tuple((int(start), int(end)) for start, end in spans)


def _write_lines(path: Path, objects: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for each in objects:
            file.write(json.dumps(each) + "\n")  # ASCII: a path may hold bytes that are no UTF-8


def _read_lines(path: Path) -> list[dict[str, Any]]:
    # Not splitlines(): it also breaks at U+2028 and its like, which JSON leaves as they are.
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]
