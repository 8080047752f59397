"""What a build is made of: papers, their sentences and passages, and the vectors of both. Writes nothing.

Nothing known is computed twice: an unchanged paper keeps what the live build holds for it, and a changed one keeps the
vectors of those of its texts that stayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from rag.index import canonical
from rag.index.canonical import Rows, Spans
from rag.index.manifest import EmbedderRecord
from rag.index.passages import Windowed, embedded_text, headings, sentences_of, split
from rag.models import Embedder, Vectors
from rag.records import Paper, Sentence

Progress = Callable[[int, int, str], None]
"""Hears how much is done, of how much, of what; called now and then."""


@dataclass(frozen=True)
class LazyEmbedder:
    """An embedder that is known by its weights and loaded only when there is something to embed."""

    name: str
    fingerprint: str
    load: Callable[[], Embedder]


@dataclass(frozen=True)
class Piece:
    """One paper's part of a build: its rows stand in the order of its spans."""

    paper: Paper
    spans: Spans
    sentences: Rows
    passages: Rows


@dataclass(frozen=True)
class Content:
    """A build's pieces in the order of the collection, and the embedder their vectors come from."""

    embedder: EmbedderRecord
    pieces: tuple[Piece, ...]

    @property
    def papers(self) -> tuple[Paper, ...]:
        """The papers, in order."""
        return tuple(piece.paper for piece in self.pieces)

    @property
    def sentences(self) -> Rows:
        """The rows of all sentences."""
        return np.concatenate([piece.sentences for piece in self.pieces])

    @property
    def passages(self) -> Rows:
        """The rows of all passages."""
        return np.concatenate([piece.passages for piece in self.pieces])


def pieces(papers: Iterable[Paper], spans: Iterable[Spans], sentences: Rows, passages: Rows) -> tuple[Piece, ...]:
    """The pieces whose rows stand one paper after the other. Raises ValueError where the lengths disagree."""
    cut, sentence, passage = [], 0, 0
    for paper, mine in zip(papers, spans, strict=True):
        next_sentence, next_passage = sentence + len(mine.sentences), passage + len(mine.passages)
        cut.append(Piece(paper, mine, sentences[sentence:next_sentence], passages[passage:next_passage]))
        sentence, passage = next_sentence, next_passage
    if (sentence, passage) != (len(sentences), len(passages)):
        raise ValueError(f"spans for {sentence} and {passage} rows, not {len(sentences)} and {len(passages)}")
    return tuple(cut)


def prepare(
    papers: Sequence[Paper], before: Content | None, embedder: LazyEmbedder, progress: Progress | None = None
) -> tuple[Content, int]:
    """The content for these papers and how many texts were embedded for it.

    `before` is the live build's content, where it was made in the same way: by this embedder, with these passages.
    """
    kept = _kept(papers, before)
    new = [paper for paper in papers if paper.paper_id not in kept]
    made: dict[str, Piece] = {}
    if before is not None and not new:
        record, embedded = replace(before.embedder, name=embedder.name), 0
    else:
        model = embedder.load()
        record = EmbedderRecord(embedder.name, embedder.fingerprint, model.dimension, model.window)
        made, embedded = _make(new, model, _known(before), progress)
    return Content(record, tuple((kept | made)[paper.paper_id] for paper in papers)), embedded


def _kept(papers: Sequence[Paper], before: Content | None) -> dict[str, Piece]:
    """The pieces of papers whose title and abstract are as they were, under the records as they are now."""
    then = {piece.paper.paper_id: piece for piece in before.pieces} if before else {}
    return {
        paper.paper_id: replace(then[paper.paper_id], paper=paper)
        for paper in papers
        if paper.paper_id in then and _text(then[paper.paper_id].paper) == _text(paper)
    }


def _text(paper: Paper) -> tuple[str, str]:
    return paper.title, paper.abstract


def _known(before: Content | None) -> dict[bytes, Vectors]:
    """The vectors of the live build by content key."""
    if before is None:
        return {}
    return {bytes(row["key"]): row["vector"] for row in chain(before.sentences, before.passages)}


def _make(
    papers: Sequence[Paper], model: Embedder, known: Mapping[bytes, Vectors], progress: Progress | None
) -> tuple[dict[str, Piece], int]:
    """The pieces of new papers and how many texts had to be embedded for them."""
    sentences = [sentences_of(paper) for paper in papers]
    passages = split(list(zip(papers, sentences, strict=True)), model)
    spans = [_spans(*each) for each in zip(papers, sentences, passages, strict=True)]
    titles = headings([paper.title for paper in papers], model.sentences)
    texts = [
        [[embedded_text(title, each.text) for each in mine] for title, mine in zip(titles, sentences, strict=True)],
        [[each.embedded for each in mine] for mine in passages],
    ]
    missing = [_missing(*each, known) for each in zip(texts, (model.sentences, model), strict=True)]
    heard = _added_up(progress, sum(map(len, missing)))
    rows = [_rows(*each, known, heard) for each in zip(texts, missing, (model.sentences, model), strict=True)]
    made = pieces(papers, spans, rows[0], rows[1])
    return {piece.paper.paper_id: piece for piece in made}, sum(map(len, missing))


def _spans(paper: Paper, sentences: Sequence[Sentence], passages: Sequence[Windowed]) -> Spans:
    return Spans(
        paper.paper_id,
        tuple((sentence.start, sentence.end) for sentence in sentences),
        tuple((each.passage.start, each.passage.end) for each in passages),
    )


def _missing(texts: Sequence[Sequence[str]], model: Embedder, known: Mapping[bytes, Vectors]) -> dict[bytes, str]:
    """The texts that have no vector yet, by key, each once."""
    keyed = {canonical.content_key(model.fingerprint, text): text for text in chain(*texts)}
    return {key: text for key, text in keyed.items() if key not in known}


def _rows(
    texts: Sequence[Sequence[str]],
    missing: Mapping[bytes, str],
    model: Embedder,
    known: Mapping[bytes, Vectors],
    heard: Callable[[int], None] | None,
) -> Rows:
    """A row for each text: what is missing is embedded, the rest is known."""
    new = dict(zip(missing, model.encode(list(missing.values()), heard), strict=True)) if missing else {}
    keys = [canonical.content_key(model.fingerprint, text) for text in chain(*texts)]
    rows = canonical.empty_rows(len(keys), model.dimension)
    for row, key in zip(rows, keys, strict=True):
        row["key"], row["vector"] = key, new[key] if key in new else known[key]
    return rows


def _added_up(progress: Progress | None, total: int) -> Callable[[int], None] | None:
    """What an embedder reports step by step, as so many of the total."""
    if progress is None:
        return None
    done = 0

    def heard(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total, "texts")

    return heard
