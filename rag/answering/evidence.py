"""Ranked papers to the few sentences that answer, and whether there is enough to answer at all.

Every sentence of the best papers is scored by what is known about it (`features`), with weights learned from labelled
questions (`evidence_weights.json`, made by `python -m eval.learn_evidence`). Then a set is picked that does not repeat
itself: from one or two papers for a narrow question, from several for a broad one.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from rag.answering.features import FEATURES, Candidate, Matrix, matrix
from rag.models import Vectors
from rag.records import Evidence, Hit, Sentence
from rag.text import Weight

PAPERS_READ: Final = 8
"""Papers whose sentences are candidates: they hold 82% of the expected facts, five hold 75%."""

BEST: Final = 3
"""Papers that have to hold the answer, if any does: further down, a near sentence is most often a near miss."""

SUMMARY_WORDS: Final = 280
"""Words of all sentences picked for a summary, at most: about thirty for each of its papers."""

_BROAD = re.compile(
    r"\b(?:list|compare|compared|comparison|versus|vs|differ|difference|differences|approaches|methods|ways|works|"
    r"studies|papers|summari[sz]e|overview|survey|what is known|each|respectively|various|kinds of|techniques|"
    r"strategies|tricks|remedies|attempts|how have|what has been)\b",
    re.IGNORECASE,
)


_ADDRESS = re.compile(r"https?://|\bwww\.|\bgithub\b|\bhuggingface\.co\b", re.IGNORECASE)
_ASKS_FOR_ADDRESS = re.compile(
    r"\b(?:code|github|available|availability|released?|public|publicly|open|download|repository|url|link|where)\b",
    re.IGNORECASE,
)

POINTER: Final = 3.0
"""What a sentence costs that only says where something can be had (log-odds)."""


@dataclass(frozen=True, slots=True)
class Breadth:
    """How much a question may take in.

    `words` are those of all `sentences`, `quoted` the fewer sentences and words of an answer made of quotations; a
    further paper costs `new_paper`, and what scores `margin` below the best sentence (both log-odds) is left out.
    """

    sentences: int
    words: int
    papers: int
    per_paper: int
    new_paper: float
    margin: float
    quoted: tuple[int, int]


NARROW: Final = Breadth(6, words=150, papers=2, per_paper=6, new_paper=0.75, margin=2.5, quoted=(5, 120))
"""Worded by a model that condenses, 150 words make about 100."""

BROAD: Final = Breadth(8, words=165, papers=4, per_paper=4, new_paper=0.3, margin=4.0, quoted=(7, 155))
"""A larger margin: of several papers that answer, one has the words of the question and the others have not."""

SUMMARISED: Final = (4, 8)
"""Papers in a summary, at least and at most; a question that fewer are about is better asked than summarised."""

NEAR_BEST: Final = 0.55
"""Share of the best paper's score from which another one is about the question too."""

SECOND: Final = 0.7
"""A second sentence of a paper is stated in a summary where it scores this little below the first (log-odds)."""

ALIKE: Final = 0.75
"""Cosine from which two sentences begin to repeat each other; each .01 beyond costs `REPETITION` / 100."""

REPETITION: Final = 4.0

WORDINESS: Final = 0.02
"""What each word of a sentence costs it (log-odds): of two that answer about as well the shorter leaves room for a
third. Between .01 and .03 the share of facts stated is the same, beyond that it falls."""


@cache
def shipped_weights() -> Mapping[str, float]:
    """The weights that were learned on the project's own questions."""
    text = Path(__file__).with_name("evidence_weights.json").read_text(encoding="utf-8")
    weights: dict[str, float] = json.loads(text)["weights"]
    return weights


class Reading(Protocol):
    """What is needed of an index."""

    def sentences(self, paper_id: str) -> tuple[Sentence, ...]:
        """The sentences of a paper, in order."""

    def sentence_vectors(self, paper_id: str) -> Vectors:
        """Their unit vectors, shape (sentences, dimension)."""


class Selector(Protocol):
    """Picks evidence; a larger trained model can take the place of `LearnedSelector`."""

    def select(self, question: str, vector: Vectors, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
        """The sentences that answer, best first."""

    def survey(self, question: str, vector: Vectors, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
        """What each of the papers that are about the question says of it, paper by paper, best first."""


@dataclass(frozen=True, slots=True)
class LearnedSelector:
    """Linear scores on `features`, then a greedy pick."""

    reading: Reading
    weight: Weight
    weights: Mapping[str, float] = field(default_factory=shipped_weights)

    def select(self, question: str, vector: Vectors, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
        """The sentences that answer, best first; empty only where there is no sentence at all."""
        candidates, scores = self._scored(question, vector, hits[:PAPERS_READ])
        return _evidence(candidates, scores, pick(candidates, scores, breadth(question))) if candidates else ()

    def survey(self, question: str, vector: Vectors, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
        """One or two sentences of each of the papers that are about the question, paper by paper, best first."""
        candidates, scores = self._scored(question, vector, about(hits))
        return _evidence(candidates, scores, pick_each(candidates, scores)) if candidates else ()

    def _scored(self, question: str, vector: Vectors, hits: Sequence[Hit]) -> tuple[list[Candidate], Matrix]:
        candidates = gather(hits, self.reading)
        if not candidates:
            return candidates, np.zeros(0)
        scores = self.score(matrix(question, vector, candidates, self.weight))
        return candidates, scores - POINTER * np.array(
            [points_elsewhere(each.sentence, question) for each in candidates]
        )

    def score(self, features: Matrix) -> Matrix:
        """Log-odds, up to a constant, that each row answers; shape (rows,)."""
        scores: Matrix = features @ np.array([self.weights.get(name, 0.0) for name in FEATURES])
        return scores


def _evidence(candidates: Sequence[Candidate], scores: Matrix, places: Sequence[int]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(candidates[place].hit.paper, candidates[place].sentence, round(float(scores[place]), 6))
        for place in places
    )


def about(hits: Sequence[Hit]) -> Sequence[Hit]:
    """The papers that a summary takes in: those that come near the best one, within `SUMMARISED`."""
    fewest, most = SUMMARISED
    near = sum(hit.score >= NEAR_BEST * hits[0].score for hit in hits)
    return hits[: min(most, max(fewest, near))]


def quotable(picked: Sequence[Evidence], question: str) -> tuple[Evidence, ...]:
    """As many of the picked sentences, best first, as an answer made of quotations has room for.

    Beyond it a reader might as well read the abstract.
    """
    most, words = breadth(question).quoted
    chosen: list[Evidence] = []
    for item in picked:
        length = sum(len(each.sentence.text.split()) for each in (*chosen, item))
        if not chosen or (len(chosen) < most and length <= words):
            chosen.append(item)
    return tuple(chosen)


def points_elsewhere(sentence: Sentence, question: str) -> bool:
    """Whether a sentence gives an address, such as that of the code, and the question asks for none."""
    return _ADDRESS.search(sentence.text) is not None and _ASKS_FOR_ADDRESS.search(question) is None


def gather(hits: Sequence[Hit], reading: Reading) -> list[Candidate]:
    """Every sentence of the papers, paper by paper."""
    return [
        Candidate(hit, rank, sentence, vector)
        for rank, hit in enumerate(hits, start=1)
        for sentence, vector in zip(
            reading.sentences(hit.paper.paper_id), reading.sentence_vectors(hit.paper.paper_id), strict=True
        )
    ]


def breadth(question: str) -> Breadth:
    """Broad for a question that asks to compare, list or summarise."""
    return BROAD if _BROAD.search(question) else NARROW


def pick(candidates: Sequence[Candidate], scores: Matrix, wide: Breadth) -> list[int]:
    """Places of the picked candidates, best first: the best each time, less what it costs beside those picked."""
    vectors = np.stack([candidate.vector for candidate in candidates])
    papers: Counter[int] = Counter()
    picked: list[int] = []
    left = set(range(len(candidates)))
    lengths = np.array([len(candidate.sentence.text.split()) for candidate in candidates])
    scores = scores - WORDINESS * lengths
    words = 0
    while left and len(picked) < wide.sentences:
        repeated = (vectors @ vectors[picked].T).max(axis=1) if picked else np.zeros(len(candidates))
        worth = scores - REPETITION * np.maximum(0.0, repeated - ALIKE)
        allowed = [place for place in sorted(left) if _allowed(candidates[place].rank, papers, wide)]
        if not allowed:
            break
        costs = {place: worth[place] - _cost(candidates[place].rank, papers, wide) for place in allowed}
        best = max(allowed, key=lambda place: (costs[place], -place))
        if picked and costs[best] < scores.max() - wide.margin:
            break
        left.remove(best)
        if picked and words + lengths[best] > wide.words:
            continue
        picked.append(best)
        words += int(lengths[best])
        papers[candidates[best].rank] += 1
    return picked


def pick_each(candidates: Sequence[Candidate], scores: Matrix) -> list[int]:
    """Places of the best sentence of each paper; then, as room allows, second ones that score nearly as well."""
    lengths = np.array([len(candidate.sentence.text.split()) for candidate in candidates])
    worth = scores - WORDINESS * lengths
    by_paper: dict[int, list[int]] = defaultdict(list)
    for place in sorted(range(len(candidates)), key=lambda place: (-worth[place], place)):
        by_paper[candidates[place].rank].append(place)
    picked = [by_paper[rank][0] for rank in sorted(by_paper)]
    for first, *others in (by_paper[rank] for rank in sorted(by_paper)):
        for second in others[:1]:
            tells_more = candidates[second].vector @ candidates[first].vector < ALIKE
            fits = lengths[[*picked, second]].sum() <= SUMMARY_WORDS
            if tells_more and fits and worth[second] > worth[first] - SECOND:
                picked.append(second)
    return picked


def _allowed(rank: int, papers: Counter[int], wide: Breadth) -> bool:
    if rank in papers:
        return papers[rank] < wide.per_paper
    return len(papers) < wide.papers


def _cost(rank: int, papers: Counter[int], wide: Breadth) -> float:
    return wide.new_paper if papers and rank not in papers else 0.0


def nearest(vector: Vectors, hits: Sequence[Hit], reading: Reading) -> float:
    """Cosine of the question with the best sentence of the three best papers: is this what was asked?"""
    return max(
        (
            float((vectors @ vector).max())
            for hit in hits[:BEST]
            if len(vectors := reading.sentence_vectors(hit.paper.paper_id))
        ),
        default=-1.0,
    )
