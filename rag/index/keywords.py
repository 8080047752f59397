"""The only door to bm25s: papers found by the words of their title and abstract.

Rows in, rows out; which row is which paper is the reader's business. Words are the `terms` of `rag.text`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.text import terms

K1 = 1.5
B = 0.75
"""The constants of BM25 (Robertson and Zaragoza 2009) at the values bm25s and Lucene start from."""


class KeywordIndex:
    """A BM25 index over texts. Thread-safe for reading."""

    def __init__(self, ranker: Any, size: int) -> None:
        """`ranker` is a bm25s.BM25, or None where the texts hold no word at all (bm25s refuses that)."""
        self._ranker = ranker
        self._size = size
        self._vocabulary: dict[str, int] = {} if ranker is None else ranker.vocab_dict

    @classmethod
    def build(cls, texts: Iterable[str]) -> KeywordIndex:
        """The index of the texts, one row each, in order."""
        from bm25s import BM25

        documents = [terms(text) for text in texts]
        # bm25s numbers the words in the order of a set, which differs from process to process.
        vocabulary = {word: number for number, word in enumerate(sorted({w for d in documents for w in d}))}
        if not vocabulary:
            return cls(None, len(documents))
        ranker = BM25(k1=K1, b=B)
        numbered = [[vocabulary[word] for word in document] for document in documents]
        ranker.index((numbered, vocabulary), show_progress=False)
        return cls(ranker, len(documents))

    def save(self, folder: Path) -> None:
        """Write into a new folder: arrays and JSON, nothing pickled; an index without words is an empty folder."""
        folder.mkdir(parents=True)
        if self._ranker is not None:
            self._ranker.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path, size: int) -> KeywordIndex:
        """The index saved in a folder, of `size` rows; raises IndexDamaged where it is not that."""
        from bm25s import BM25

        try:
            if not any(folder.iterdir()):
                return cls(None, size)
            ranker = BM25.load(folder, show_progress=False)
        except Exception as error:  # bm25s raises what numpy and json raise
            raise IndexDamaged(f"the keyword index in {folder} cannot be read: {error}") from error
        if ranker.scores["num_docs"] != size:
            raise IndexDamaged(f"{folder} indexes {ranker.scores['num_docs']} papers, not {size}")
        return cls(ranker, size)

    def search(self, question: str, top_k: int, allowed: NDArray[np.bool_] | None = None) -> list[tuple[int, float]]:
        """The `top_k` rows that share words with the question, best first, ties by row; only rows that are `allowed`.

        Rows that share no word are never returned.
        """
        known = [self._vocabulary[word] for word in terms(question) if word in self._vocabulary]
        if not known:
            return []
        scores = np.round(self._ranker.get_scores_from_ids(known).astype(np.float64), 6)
        if allowed is not None:
            scores = np.where(allowed, scores, 0.0)
        best = np.lexsort((np.arange(self._size), -scores))[: max(top_k, 0)]
        return [(int(row), float(scores[row])) for row in best if scores[row] > 0]

    def document_frequency(self, term: str) -> int:
        """How many rows hold a term, as `rag.text.terms` gives it."""
        number = self._vocabulary.get(term)
        if number is None:
            return 0
        starts = self._ranker.scores["indptr"]
        return int(starts[number + 1] - starts[number])
