"""Question (and history) to ranked papers: dense passages and keywords, fused, then looked at once more.

Fusion by reciprocal rank gathers the candidates; it throws away how near each one was. The second look keeps that:
each candidate's similarities, measured against those of the other candidates, and its keyword score. Passages and
sentences are compared by an encoder each (docs/answers.md tells what that is worth). Knows nothing of evidence.
Everything here is deterministic: ties fall back on the collection's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag.answering.followup import Query
from rag.index.live import LiveIndex
from rag.models import Embedder, Vectors
from rag.records import Hit, Passage

PASSAGES_SHOWN: Final = 3
"""Passages kept with a hit: what a reader of the search results needs to see why it is there."""

CANDIDATES: Final = 100
"""Papers that are looked at once more: with 50, a tenth of the gain is lost."""

PASSAGE, SENTENCE, WHOLE, KEYWORD, CARRIED = 0.5, 1.0, 0.25, 1.7, 4.0
"""Weights of the second look: the best passage, the best sentence and the mean sentence vector (each in standard
deviations over the candidates), the keyword score (as a share of the best one), and 1 / rank among the papers that
the conversation carries along. Chosen on 438 questions about papers kept back from the sentence encoder; doubling or
halving any of the first four changes recall@5 there by .01 at most."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What a search found, and the ranked papers.

    `vector` is the query's unit vector among sentences, shape (dimension,); `put_in` are the words that were searched
    for in place of mistyped ones.
    """

    query: Query
    vector: Vectors
    hits: tuple[Hit, ...]
    put_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """The two searches' results, papers in the order found: passages with cosines, keyword scores."""

    dense: Mapping[str, Sequence[tuple[Passage, float]]]
    keyword: Mapping[str, float]


class Retriever:
    """Searches one open index with one embedder."""

    def __init__(self, index: LiveIndex, embedder: Embedder, *, passages_searched: int = 400, rrf_k: int = 60) -> None:
        self._index = index
        self._embedder = embedder
        self._passages_searched = passages_searched
        self._rrf_k = rrf_k
        self._order = {paper_id: place for place, paper_id in enumerate(index.papers)}

    def retrieve(self, query: Query, top_k: int) -> Retrieval:
        """The `top_k` best papers in the query's scope, best first."""
        query = replace(query, carried=self._present(query))
        vector = self._embedder.sentences.encode([query.text])[0]
        found = _Found(self._dense(self._embedder.encode([query.text])[0], query), self._keyword(query))
        fused = fuse([list(found.dense), list(found.keyword), list(query.carried)], self._rrf_k)
        candidates = self._best(fused)[:CANDIDATES]
        scores = self._second_look(candidates, found, vector, query.carried)
        ranked = self._best(scores)[:top_k]
        ranks = _ranks(found.dense), _ranks(found.keyword)
        return Retrieval(query, vector, tuple(self._hit(each, scores[each], found, *ranks) for each in ranked))

    def _present(self, query: Query) -> tuple[str, ...]:
        """The papers carried along that are in the collection still, and in scope."""
        papers = self._index.papers
        return tuple(each for each in query.carried if each in papers and query.scope.holds(papers[each]))

    def _dense(self, vector: Vectors, query: Query) -> dict[str, list[tuple[Passage, float]]]:
        """Passages near the question, rolled up: papers in the order of their best passage."""
        found: dict[str, list[tuple[Passage, float]]] = {}
        for passage, similarity in self._index.search_vectors(vector, self._passages_searched, query.scope):
            found.setdefault(passage.paper_id, []).append((passage, similarity))
        return found

    def _keyword(self, query: Query) -> dict[str, float]:
        return dict(self._index.search_keywords(query.text, CANDIDATES, query.scope))

    def _best(self, scores: Mapping[str, float]) -> list[str]:
        return sorted(scores, key=lambda paper_id: (-scores[paper_id], self._order[paper_id]))

    def _second_look(
        self, candidates: Sequence[str], found: _Found, vector: Vectors, carried: Sequence[str]
    ) -> dict[str, float]:
        if not candidates:
            return {}
        sentence, whole = zip(*(self._sentences(paper_id, vector) for paper_id in candidates), strict=True)
        nearest = {paper_id: passages[0][1] for paper_id, passages in found.dense.items()}
        floor = min(nearest.values(), default=0.0)  # a paper found by keywords alone has no passage as near as these
        passage = [nearest.get(paper_id, floor) for paper_id in candidates]
        top = max(found.keyword.values(), default=1.0)
        keyword = np.array([found.keyword.get(paper_id, 0.0) / top for paper_id in candidates])
        rank = _ranks(carried)
        leaning = np.array([1.0 / rank[paper_id] if paper_id in rank else 0.0 for paper_id in candidates])
        total = (
            PASSAGE * _standard(passage)
            + SENTENCE * _standard(sentence)
            + WHOLE * _standard(whole)
            + KEYWORD * keyword
            + CARRIED * leaning
        )
        return {paper_id: round(float(score), 6) for paper_id, score in zip(candidates, total, strict=True)}

    def _sentences(self, paper_id: str, vector: Vectors) -> tuple[float, float]:
        """Cosine of the question with the best sentence and with the mean of all sentences."""
        vectors = self._index.sentence_vectors(paper_id)
        if not len(vectors):
            return 0.0, 0.0
        mean = vectors.mean(axis=0)
        return float((vectors @ vector).max()), float(mean @ vector / max(float(np.linalg.norm(mean)), 1e-9))

    def _hit(
        self, paper_id: str, score: float, found: _Found, dense: Mapping[str, int], keyword: Mapping[str, int]
    ) -> Hit:
        passages = found.dense.get(paper_id, [])
        return Hit(
            paper=self._index.papers[paper_id],
            passages=tuple(passage for passage, _ in passages[:PASSAGES_SHOWN]),
            score=score,
            dense_rank=dense.get(paper_id),
            keyword_rank=keyword.get(paper_id),
            similarity=passages[0][1] if passages else None,
        )


def _standard(values: Sequence[float]) -> NDArray[np.float64]:
    """In standard deviations from the mean: comparable between embedders whose cosines lie elsewhere."""
    array = np.asarray(values, dtype=np.float64)
    spread = float(array.std())
    return (array - array.mean()) / spread if spread > 1e-9 else np.zeros_like(array)


def fuse(rankings: Iterable[Sequence[str]], k: int) -> dict[str, float]:
    """Reciprocal rank fusion: the sum over rankings of 1 / (k + rank), ranks from 1.

    Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods", SIGIR 2009.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, paper_id in enumerate(ranking, start=1):
            scores[paper_id] = scores.get(paper_id, 0.0) + 1.0 / (k + rank)
    return scores


def _ranks(ranking: Iterable[str]) -> dict[str, int]:
    return {paper_id: rank for rank, paper_id in enumerate(ranking, start=1)}
