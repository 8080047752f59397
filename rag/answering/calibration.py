"""What 'enough evidence' means on this collection, found without a single label when it is indexed.

A sentence of one abstract, looked for in all the others, is a question whose own paper is hidden: how near the nearest
other sentence comes is what "on topic, but not answered here" looks like under this embedder. A question that stays
below nearly all of that is not about this collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from rag.models import Vectors
from rag.records import Confidence, Paper

SAMPLED: Final = 500
"""Sentences looked for: the quantiles move by less than .01 beyond it."""

BLOCK: Final = 1000
"""Papers compared with at once: some ten thousand sentences, a few ten megabytes of cosines."""

CAUTION_QUANTILE: Final = 0.03
REFUSAL_STEP: Final = 0.55
"""How far below the caution line refusal begins, in units of its distance from the median: on the development questions
one in thirty of the answerable ones lies below it, and three in four of those without an answer."""

FALLBACK: Final = {"caution_below": 0.48, "refuse_below": 0.42}
"""Used where a collection is too small to tell: the values found on the collection that ships."""

FEWEST_PAPERS: Final = 20

MOSTLY_UNKNOWN: Final = 0.6
"""Share of a doubtful question's weight in words that no paper mentions, from which it is refused: 2% of the answerable
paraphrases of the development questions reach it, and nearly all questions about something else."""


class Reading(Protocol):
    """What is needed of an index."""

    @property
    def papers(self) -> Mapping[str, Paper]:
        """The papers by id, in the collection's order."""

    def sentence_vectors(self, paper_id: str) -> Vectors:
        """Unit vectors of a paper's sentences, shape (sentences, dimension)."""


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """Cosines of the question with the best sentence, below which an answer is given with caution, or refused."""

    caution_below: float
    refuse_below: float

    def confidence(self, nearest: float, unknown: float = 0.0) -> Confidence:
        """How far to trust an answer whose best sentence has the cosine `nearest` with the question.

        `unknown` is the share of the question, by weight of its terms, that no paper mentions; it decides only where
        the evidence is doubtful already, for a good paraphrase may share no word with its answer.
        """
        if nearest >= self.caution_below:
            return "answer"
        return "refusal" if nearest < self.refuse_below or unknown >= MOSTLY_UNKNOWN else "caution"


def stored_sufficiency(calibration: Mapping[str, float]) -> Sufficiency:
    """The thresholds that were stored with an index."""
    stored = {**FALLBACK, **calibration}
    return Sufficiency(stored["caution_below"], stored["refuse_below"])


def calibrate(reading: Reading) -> dict[str, float]:
    """The thresholds for a collection, to be stored with its index."""
    if len(reading.papers) < FEWEST_PAPERS:
        return dict(FALLBACK)
    vectors = [reading.sentence_vectors(paper_id) for paper_id in reading.papers]
    nearest = _nearest_elsewhere(vectors)
    low, middle = np.quantile(nearest, [CAUTION_QUANTILE, 0.5])
    return {
        "caution_below": round(float(low), 4),
        "refuse_below": round(float(low - REFUSAL_STEP * (middle - low)), 4),
    }


def _nearest_elsewhere(vectors: Sequence[Vectors]) -> Vectors:
    """For evenly spaced sentences, the largest cosine with any sentence of another paper; `vectors` are by paper."""
    owner = np.repeat(np.arange(len(vectors)), [len(rows) for rows in vectors])
    sample = np.unique(np.linspace(0, len(owner) - 1, min(SAMPLED, len(owner))).astype(np.intp))
    papers = owner[sample]
    places = sample - np.searchsorted(owner, papers)
    sought = np.stack([vectors[paper][place] for paper, place in zip(papers, places, strict=True)])
    nearest = np.full(len(sample), -1.0, dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):  # all at once would be gigabytes
        others = owner[np.searchsorted(owner, start) : np.searchsorted(owner, start + BLOCK)]
        cosines = sought @ np.concatenate(vectors[start : start + BLOCK]).T
        cosines[papers[:, None] == others[None, :]] = -1.0
        np.maximum(nearest, cosines.max(axis=1, initial=-1.0), out=nearest)
    return nearest
