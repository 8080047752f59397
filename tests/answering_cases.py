"""What the tests of answering share: a small index in memory and a few made-up papers to fill it with."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import numpy as np
from conftest import FakeEmbedder

from rag.index.passages import sentences_of
from rag.models import Vectors
from rag.records import Hit, Paper, Passage, Scope, Sentence
from rag.text import terms


class Shelf:
    """The part of `LiveIndex` that answering uses: exact search, keyword scores by counting, nothing on disk.

    A passage is a pair of neighbouring sentences.
    """

    def __init__(self, *papers: Paper, embedder: FakeEmbedder | None = None) -> None:
        self.papers = {paper.paper_id: paper for paper in papers}
        self._embedder = embedder or FakeEmbedder()
        self._sentences = {paper.paper_id: sentences_of(paper) if paper.abstract else () for paper in papers}
        self._passages = [passage for paper in papers for passage in self._pairs(paper)]
        self._words = {paper.paper_id: Counter(terms(f"{paper.title}\n{paper.abstract}")) for paper in papers}

    def sentences(self, paper_id: str) -> tuple[Sentence, ...]:
        return self._sentences[paper_id]

    def sentence_vectors(self, paper_id: str) -> Vectors:
        return self._embedder.sentences.encode([sentence.text for sentence in self._sentences[paper_id]])

    def search_vectors(self, vector: Vectors, top_k: int, scope: Scope = Scope()) -> list[tuple[Passage, float]]:
        found = [
            (passage, round(float(self._embedder.encode([passage.text])[0] @ vector), 6))
            for passage in self._passages
            if scope.holds(self.papers[passage.paper_id])
        ]
        return sorted(found, key=lambda pair: -pair[1])[:top_k]

    def search_keywords(self, question: str, top_k: int, scope: Scope = Scope()) -> list[tuple[str, float]]:
        asked = set(terms(question))
        scores = {
            paper_id: sum(
                math.log(1 + len(self.papers) / self.document_frequency(term)) for term in asked & words.keys()
            )
            for paper_id, words in self._words.items()
            if scope.holds(self.papers[paper_id])
        }
        return sorted(((p, score) for p, score in scores.items() if score), key=lambda pair: -pair[1])[:top_k]

    def document_frequency(self, term: str) -> int:
        return sum(term in words for words in self._words.values())

    def hits(self, *paper_ids: str) -> list[Hit]:
        """Hits on these papers, in this order."""
        return [Hit(self.papers[paper_id], (), 1.0 / rank) for rank, paper_id in enumerate(paper_ids, start=1)]

    def _pairs(self, paper: Paper) -> list[Passage]:
        sentences = self._sentences[paper.paper_id]
        spans = [(left.start, right.end) for left, right in pairwise(sentences)]
        spans = spans or [(sentence.start, sentence.end) for sentence in sentences]
        return [
            Passage(f"{paper.paper_id}#{number}", paper.paper_id, start, end, paper.abstract[start:end])
            for number, (start, end) in enumerate(spans)
        ]


GLACIERS = Paper(
    "glaciers",
    "IceFlow: Tracking Glaciers from Orbit",
    "Glaciers move slowly and are hard to reach. We propose IceFlow, a tracker that reads radar images. "
    "IceFlow follows 120 glaciers over nine years. Results show that it halves the error of manual tracking.",
    year=2019,
)
BEES = Paper(
    "bees",
    "Counting Bees by Ear",
    "Beekeepers want to know how many bees leave a hive. We present a microphone that counts wings. "
    "The microphone misses only three bees in a hundred. Its data are publicly available.",
    year=2021,
)
BREAD = Paper(
    "bread",
    "Why Sourdough Rises",
    "Sourdough rises because wild yeast makes gas. Warm kitchens make the yeast faster. "
    "We find that rye flour keeps the gas longer than wheat flour.",
)
TIDES = Paper(
    "tides",
    "Tides in Small Harbours",
    "Tides in small harbours differ from those at sea. We introduce a gauge made of bamboo. "
    "The gauge measures tides in 14 harbours.",
    year=2023,
)
PAPERS = (GLACIERS, BEES, BREAD, TIDES)


def cosine(embedder: FakeEmbedder, one: str, other: str) -> float:
    """Cosine of two texts."""
    return float(np.dot(*embedder.encode([one, other])))
