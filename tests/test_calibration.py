from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.random import default_rng

from rag.answering import calibration
from rag.answering.calibration import FALLBACK, FEWEST_PAPERS, Sufficiency, calibrate, stored_sufficiency
from rag.models import Vectors
from rag.records import Paper


class Vectored:
    """A collection of nothing but sentence vectors, made unit length."""

    def __init__(self, *vectors: np.ndarray) -> None:
        self.papers: Mapping[str, Paper] = {f"p{n}": Paper(f"p{n}", "", "") for n in range(len(vectors))}
        self._vectors = [np.atleast_2d(each) / np.linalg.norm(each, axis=-1, keepdims=True) for each in vectors]

    def sentence_vectors(self, paper_id: str) -> Vectors:
        return self._vectors[int(paper_id[1:])].astype(np.float32)


def scattered(papers: int, shared: float = 1.0, sentences: int = 3) -> list[np.ndarray]:
    """Random sentences; `shared` is how much of a common direction each of them has."""
    random = default_rng(1)
    common = np.eye(16)[0] * shared * 4
    return [random.normal(size=(sentences, 16)) + common for _ in range(papers)]


@pytest.mark.parametrize(
    ("similarity", "confidence"),
    [(0.9, "answer"), (0.5, "answer"), (0.49, "caution"), (0.4, "caution"), (0.39, "refusal"), (-1.0, "refusal")],
)
def test_confidence_is_graded(similarity: float, confidence: str) -> None:
    assert Sufficiency(caution_below=0.5, refuse_below=0.4).confidence(similarity) == confidence


def test_a_collection_too_small_to_tell_gets_the_fallback() -> None:
    assert calibrate(Vectored()) == FALLBACK
    assert calibrate(Vectored(*scattered(FEWEST_PAPERS - 1))) == FALLBACK
    assert calibrate(Vectored(*scattered(FEWEST_PAPERS))) != FALLBACK


def test_the_fallback_cannot_be_changed_through_what_is_returned() -> None:
    calibrate(Vectored())["caution_below"] = 0.0
    assert FALLBACK["caution_below"] > 0


def test_refusal_begins_below_caution() -> None:
    found = calibrate(Vectored(*scattered(40)))
    assert -1 <= found["refuse_below"] < found["caution_below"] <= 1


def test_where_all_papers_are_alike_more_nearness_is_asked_for() -> None:
    loose, tight = (calibrate(Vectored(*scattered(40, shared))) for shared in (0.0, 2.0))
    assert tight["caution_below"] > loose["caution_below"] + 0.2


def test_a_sentence_is_not_compared_with_its_own_paper() -> None:
    """Each paper repeats one sentence that nobody else has: within a paper the cosine is 1, across papers 0."""
    papers = [np.repeat(np.eye(FEWEST_PAPERS)[[n]], 3, axis=0) for n in range(FEWEST_PAPERS)]
    assert calibrate(Vectored(*papers)) == {"caution_below": 0.0, "refuse_below": 0.0}


def test_a_paper_without_sentences_counts_for_nothing() -> None:
    papers = scattered(30)
    with_blank = Vectored(*papers, np.empty((0, 16)))
    assert calibrate(with_blank) == calibrate(Vectored(*papers))


def test_the_lines_by_hand() -> None:
    """A hundred sentences, each with one near it in another paper, at .00, .02 ... .98: 3% of them lie below .02 and
    half below .49."""
    cosines = np.arange(50)[:, None] / 50
    ones, across = np.eye(100)[::2], np.eye(100)[1::2]
    others = cosines * ones + np.sqrt(1 - cosines**2) * across
    papers = [rows[place : place + 2] for rows in (ones, others) for place in range(0, 50, 2)]
    assert calibrate(Vectored(*papers)) == {"caution_below": 0.02, "refuse_below": -0.2385}


@pytest.mark.parametrize("block", [1, 7, 60, 61])
def test_papers_compared_with_in_blocks_give_what_all_at_once_do(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    papers = [np.eye(16)[[n % 16, (n * n) % 16]] + np.eye(16)[n % 5] for n in range(60)]
    papers.insert(7, np.empty((0, 16)))
    whole = calibrate(Vectored(*papers))
    monkeypatch.setattr(calibration, "BLOCK", block)
    assert calibrate(Vectored(*papers)) == whole


def test_stored_thresholds_are_used_and_missing_ones_filled_in() -> None:
    assert stored_sufficiency({"caution_below": 0.7, "refuse_below": 0.6}) == Sufficiency(0.7, 0.6)
    assert stored_sufficiency({}) == Sufficiency(FALLBACK["caution_below"], FALLBACK["refuse_below"])


@pytest.mark.parametrize(
    ("nearest", "unknown", "confidence"),
    [
        pytest.param(0.6, 1.0, "answer", id="near, whatever the words"),
        pytest.param(0.4, 0.0, "caution", id="doubtful, words known"),
        pytest.param(0.4, 0.9, "refusal", id="doubtful, words unknown"),
        pytest.param(0.2, 0.0, "refusal", id="far"),
    ],
)
def test_unknown_words_decide_only_where_the_evidence_is_doubtful(
    nearest: float, unknown: float, confidence: str
) -> None:
    assert Sufficiency(caution_below=0.45, refuse_below=0.35).confidence(nearest, unknown) == confidence
