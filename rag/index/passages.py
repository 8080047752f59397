"""Paper -> passages that fit the embedder's window; knows nothing of files or stores.

A passage is a window of three sentences, stride two, embedded with the paper's title in front (measured with MiniLM on
the shipped collection: dense recall@10 .90). A window that is too long gives up its last sentences to the next one; a
sentence that is too long alone is broken at words. No part of an abstract is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rag.models import Embedder
from rag.records import Paper, Passage, Sentence
from rag.text import sentences

WINDOW = 3
STRIDE = 2

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Windowed:
    """A passage and the text that is embedded for it: the title, shortened if need be, in front."""

    passage: Passage
    embedded: str


def sentences_of(paper: Paper) -> tuple[Sentence, ...]:
    """The sentences of a paper's abstract; one for the whole where none is found."""
    spans = sentences(paper.abstract) or [(0, len(paper.abstract))]
    return as_sentences(paper, spans)


def as_sentences(paper: Paper, spans: Sequence[Span]) -> tuple[Sentence, ...]:
    """Sentences from their offsets into the abstract."""
    return tuple(
        Sentence(paper.paper_id, position, start, end, paper.abstract[start:end])
        for position, (start, end) in enumerate(spans)
    )


def as_passages(paper: Paper, spans: Sequence[Span]) -> tuple[Passage, ...]:
    """Passages from their offsets into the abstract; `passage_id` is `<paper_id>#<n>`."""
    return tuple(
        Passage(f"{paper.paper_id}#{number}", paper.paper_id, start, end, paper.abstract[start:end])
        for number, (start, end) in enumerate(spans)
    )


def embedded_text(heading: str, text: str) -> str:
    """What is embedded for a passage or a sentence."""
    return f"{heading}. {text}" if heading else text


def split(papers: Sequence[tuple[Paper, Sequence[Sentence]]], embedder: Embedder) -> list[tuple[Windowed, ...]]:
    """The passages of each paper, in order.

    Takes many papers at once because counting tokens is quick only in batches: two calls serve all the papers whose
    titles and windows fit, which is nearly all of them; the others are fitted one by one.
    """
    titles = headings([paper.title for paper, _ in papers], embedder)
    drafts = [_windows([(s.start, s.end) for s in sentences]) for _, sentences in papers]
    fit = _which_fit(papers, titles, drafts, embedder)
    return [
        _windowed(paper, heading, draft if fits else _fitted(paper, sentences, heading, embedder))
        for (paper, sentences), heading, draft, fits in zip(papers, titles, drafts, fit, strict=True)
    ]


def _windowed(paper: Paper, heading: str, spans: Sequence[Span]) -> tuple[Windowed, ...]:
    return tuple(Windowed(passage, embedded_text(heading, passage.text)) for passage in as_passages(paper, spans))


def _windows(units: Sequence[Span]) -> list[Span]:
    """Windows of three units, stride two; the last one ends with the last unit."""
    spans = []
    for first in range(0, len(units), STRIDE):
        last = min(first + WINDOW, len(units)) - 1
        spans.append((units[first][0], units[last][1]))
        if last == len(units) - 1:
            break
    return spans


def headings(titles: Sequence[str], embedder: Embedder) -> list[str]:
    """The titles, cut where one would take more than half of the embedder's window from the text."""
    room = embedder.window // 2
    counts = embedder.count_tokens(titles) if titles else []
    return [
        title if count <= room else title[: _longest(title, lambda part: _tokens(part, embedder) <= room)]
        for title, count in zip(titles, counts, strict=True)
    ]


def _which_fit(
    papers: Sequence[tuple[Paper, Sequence[Sentence]]],
    titles: Sequence[str],
    drafts: Sequence[Sequence[Span]],
    embedder: Embedder,
) -> list[bool]:
    """For each paper, whether all its windows fit the embedder's."""
    texts = [
        embedded_text(heading, paper.abstract[start:end])
        for (paper, _), heading, draft in zip(papers, titles, drafts, strict=True)
        for start, end in draft
    ]
    counts = iter(embedder.count_tokens(texts) if texts else [])
    return [max([next(counts) for _ in draft], default=0) <= embedder.window for draft in drafts]


def _fitted(paper: Paper, sentences: Sequence[Sentence], heading: str, embedder: Embedder) -> list[Span]:
    """Windows shortened until they fit; the next one then starts where the shortened one ended, or before."""

    def fits(start: int, end: int) -> bool:
        return _tokens(embedded_text(heading, paper.abstract[start:end]), embedder) <= embedder.window

    units = [piece for s in sentences for piece in _pieces(paper.abstract, (s.start, s.end), fits)]
    spans, first = [], 0
    while first < len(units):
        end = min(first + WINDOW, len(units))
        while end > first + 1 and not fits(units[first][0], units[end - 1][1]):
            end -= 1
        spans.append((units[first][0], units[end - 1][1]))
        if end == len(units):
            break
        first = min(first + STRIDE, end)
    return spans


def _pieces(text: str, span: Span, fits: Callable[[int, int], bool]) -> list[Span]:
    """The span whole where it fits, else broken at words into pieces that do."""
    start, end = span
    pieces = []
    while not fits(start, end):
        cut = start + _longest(text[start:end], partial(_beginning_fits, fits, start))
        if cut >= end:  # one character that does not fit: nothing is left to break
            break
        pieces.append((start, start + len(text[start:cut].rstrip())))
        start = end - len(text[cut:end].lstrip())
    return [*pieces, (start, end)]


def _beginning_fits(fits: Callable[[int, int], bool], start: int, beginning: str) -> bool:
    return fits(start, start + len(beginning))


def _longest(text: str, fits: Callable[[str], bool]) -> int:
    """Length of the longest beginning of `text` that fits: whole words if possible, at least one character."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
    cut = low
    while cut < len(text) and cut and not text[cut].isspace():
        cut -= 1
    return len(text[:cut].rstrip()) or low


def _tokens(text: str, embedder: Embedder) -> int:
    return embedder.count_tokens([text])[0]
