"""How good answers are: small pure functions over texts, titles and numbers; knows no assistant, file, model.

A metric that is undefined for an answer (citation precision without a citation) is None and left out of the
mean; which answers enter which mean is said at each metric. Rates lie in [0, 1].

    ranking      retrieval
    facts        states, fact_coverage
    citations    citation_precision, citation_recall, fabricated_titles
    support      statement_recall, statement_precision
    abstention   abstention, auroc, risk_coverage, aurc
    form         word_count, quoted_share, worded_share
    certainty    mean, bootstrap, ratio_interval, paired_difference
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag.answering.condensing import COPIED, copied_words
from rag.errors import BadInput

Supports = Callable[[str, Sequence[str]], bool]
"""Whether a statement follows from its sources taken together."""

Indices = NDArray[np.intp]

Numbers = Sequence[float] | NDArray[np.float64]

Statistic = Callable[[Indices], float | None]
"""A figure of the questions with these numbers, a number drawn twice counting twice; None where undefined."""

RESAMPLES: Final = 2_000
"""Bootstrap resamples: the ends of a 95% interval then rest on 50 resamples each."""


# --- ranking --------------------------------------------------------------------------------------


def retrieval(
    rankings: Mapping[str, Sequence[str]],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    depths: Sequence[int] = (1, 5, 10),
) -> dict[str, dict[str, float]]:
    """For each query of `qrels`: recall at each depth, nDCG@10 and RR@10 of its ranking, best first.

    Computed by ir_measures (MacAvaney et al. 2022, arXiv:2111.13466): nDCG of Järvelin and Kekäläinen 2002
    with the gain linear in the grade, reciprocal rank of Kantor and Voorhees 2000. A query without a ranking
    scores 0. Raises BadInput where ir_measures, of the extra `eval`, is not installed.
    """
    try:
        import ir_measures
        from ir_measures import RR, R, nDCG
    except ImportError:
        raise BadInput("retrieval metrics need ir_measures: pip install 'footnote[eval]'") from None

    names = {R @ depth: f"recall@{depth}" for depth in depths} | {nDCG @ 10: "ndcg@10", RR @ 10: "rr@10"}
    run = {query: _scores(rankings.get(query, ())) for query in qrels}
    judged = {query: dict(grades) for query, grades in qrels.items()}
    scores = {query: dict.fromkeys(names.values(), 0.0) for query in qrels}
    for metric in ir_measures.iter_calc(list(names), judged, run):
        scores[metric.query_id][names[metric.measure]] = float(metric.value)
    return scores


def _scores(ranking: Sequence[str]) -> dict[str, float]:
    """Scores that fall with the rank, so that no tie is left; of a paper ranked twice the better counts."""
    return {paper: -float(rank) for rank, paper in enumerate(dict.fromkeys(ranking), start=1)}


# --- facts ----------------------------------------------------------------------------------------


def states(text: str, wordings: Collection[str]) -> bool:
    """Whether one of the wordings occurs in `text`, ignoring case and starting at a word boundary."""
    folded = text.casefold()
    return any(re.search(rf"(?<!\w){re.escape(wording.casefold())}", folded) for wording in wordings)


def fact_coverage(text: str, facts: Sequence[Collection[str]], cited_titles: Sequence[str] = ()) -> float | None:
    """Share of the facts that `text` states; None without facts.

    A refusal states none: hand over an empty text. `cited_titles` count as part of the answer: hand them over
    for "which paper" questions only. Recall of nuggets as in Voorhees 2003 (TREC question answering), matched
    by their wordings.
    """
    answer = "\n".join([text, *cited_titles])
    return mean([float(states(answer, fact)) for fact in facts])


# --- citations ------------------------------------------------------------------------------------


def citation_precision(cited: Collection[str], gold: Collection[str]) -> float | None:
    """Share of the distinct cited papers that are gold; None where nothing is cited or no paper is gold.

    A second good source outside the gold papers counts as an error here, so this is a lower bound. That an
    unanswerable question was answered is counted by `abstention`, not here.
    """
    return len({*cited} & {*gold}) / len({*cited}) if cited and gold else None


def citation_recall(cited: Collection[str], gold: Collection[str]) -> float | None:
    """Share of the gold papers that are cited; None where no paper is gold. A refusal cites none: 0."""
    return len({*cited} & {*gold}) / len({*gold}) if gold else None


def fabricated_titles(cited: Collection[str], collection: Collection[str]) -> tuple[str, ...]:
    """The cited titles that the collection does not hold, letter for letter."""
    known = frozenset(collection)
    return tuple(title for title in dict.fromkeys(cited) if title not in known)


# --- support --------------------------------------------------------------------------------------


def statement_recall(statement: str, sources: Sequence[str], supports: Supports) -> float:
    """ALCE's citation recall of one statement: 1 if its sources together support it, 0 if not or uncited.

    Gao et al. 2023, arXiv:2305.14627, section 4.
    """
    return float(bool(sources) and supports(statement, sources))


def statement_precision(statement: str, sources: Sequence[str], supports: Supports) -> float | None:
    """ALCE's citation precision of one statement: share of its citations that are needed or suffice alone.

    None without citations. A citation counts only where the statement as a whole is supported; it is
    irrelevant where it does not support the statement alone and the others do without it. Gao et al. 2023,
    arXiv:2305.14627.
    """
    if not sources:
        return None
    if not supports(statement, sources):
        return 0.0
    return mean([float(_relevant(statement, sources, number, supports)) for number in range(len(sources))])


def _relevant(statement: str, sources: Sequence[str], number: int, supports: Supports) -> bool:
    others = [source for other, source in enumerate(sources) if other != number]
    return supports(statement, [sources[number]]) or not (others and supports(statement, others))


# --- abstention -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """What one question adds to a ratio of sums; a mean is the ratio whose wholes are 1."""

    part: float
    whole: float = 1.0


def abstention(abstained: bool, answerable: bool) -> dict[str, Share]:
    """What one question adds to precision, recall and F1 with "abstain" positive, and to over-refusal.

    Over-refusal is the share of answerable questions refused. As in AbstentionBench (Kirichenko et al. 2025,
    arXiv:2506.09038); over-refusal after XSTest (Röttger et al. 2024, arXiv:2308.01263).
    """
    right = float(abstained and not answerable)
    return {
        "abstention_precision": Share(right, float(abstained)),
        "abstention_recall": Share(right, float(not answerable)),
        "abstention_f1": Share(2 * right, float(abstained) + float(not answerable)),
        "over_refusal": Share(float(abstained and answerable), float(answerable)),
    }


def auroc(scores: Numbers, positive: Sequence[bool] | NDArray[np.bool_]) -> float | None:
    """Probability that a positive scores above a negative, ties counting half; None where either is absent.

    The Mann-Whitney statistic (Hanley and McNeil 1982).
    """
    values, labels = np.asarray(scores, dtype=float), np.asarray(positive, dtype=bool)
    positives, negatives = values[labels], np.sort(values[~labels])
    if not positives.size or not negatives.size:
        return None
    below = np.searchsorted(negatives, positives, side="left")
    not_above = np.searchsorted(negatives, positives, side="right")
    return float((below + not_above).sum() / (2 * positives.size * negatives.size))


def risk_coverage(confidences: Numbers, losses: Numbers) -> list[tuple[float, float]]:
    """Points (coverage, mean loss of the answers kept), the most confident answer first; one point an answer.

    Answers of equal confidence share their mean loss, so that their order does not matter. Selective
    prediction: El-Yaniv and Wiener 2010 (JMLR 11), Geifman and El-Yaniv 2017 (arXiv:1705.08500).
    """
    values, lost = np.asarray(confidences, dtype=float), np.asarray(losses, dtype=float)
    _, group = np.unique(-values, return_inverse=True)
    shared = np.bincount(group, weights=lost) / np.bincount(group) if group.size else lost
    kept = np.arange(1, values.size + 1)
    risks = np.cumsum(shared[np.sort(group)]) / kept
    return [(float(coverage), float(risk)) for coverage, risk in zip(kept / max(kept.size, 1), risks, strict=True)]


def aurc(confidences: Numbers, losses: Numbers) -> float | None:
    """Area under the risk–coverage curve: the risk averaged over all coverages; None without answers.

    Smaller is better. Geifman, Uziel and El-Yaniv 2019 (arXiv:1805.08206).
    """
    return mean([risk for _, risk in risk_coverage(confidences, losses)])


# --- form -----------------------------------------------------------------------------------------


def word_count(text: str) -> int:
    """White-space separated words; hand over the statements without their markers, of answered questions."""
    return len(text.split())


def quoted_share(supports: Sequence[str]) -> float | None:
    """Share of the statements whose `support` is `quoted`; None without statements."""
    return mean([float(support == "quoted") for support in supports])


def worded_share(statements: Sequence[tuple[str, str]]) -> float | None:
    """Share of the statements (text, what it cites) that copy fewer than `COPIED` words in a row; None without any."""
    return mean([float(copied_words(text, source) < COPIED) for text, source in statements])


# --- certainty ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95% interval, and how many questions it rests on."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A change with its 95% interval and two-sided p-value, and how many questions it rests on."""

    value: float
    low: float
    high: float
    p_value: float
    count: int


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of the values that are defined; None where none is."""
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None


def bootstrap(statistic: Statistic, count: int, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval | None:
    """The statistic of `count` questions with its percentile interval (Efron and Tibshirani 1993, ch. 13).

    `statistic` is given the numbers of the questions drawn, first 0 to count - 1, then resamples with
    replacement. Resamples that leave it undefined are passed over; None where it is undefined on the
    questions themselves.
    """
    value = statistic(np.arange(count)) if count else None
    if value is None:
        return None
    random = np.random.default_rng(seed)
    drawn = [statistic(random.integers(count, size=count)) for _ in range(resamples)]
    low, high = np.percentile([figure for figure in drawn if figure is not None] or [value], [2.5, 97.5])
    return Interval(value, float(low), float(high), count)


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> Statistic:
    """The statistic "sum of the parts over sum of the wholes", one of each a question.

    With wholes of 1 it is a mean; questions where a figure is undefined have part and whole 0.
    """
    part, whole = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)

    def of(drawn: Indices) -> float | None:
        below = float(whole[drawn].sum())
        return float(part[drawn].sum()) / below if below else None

    return of


def ratio_interval(
    parts: Sequence[float], wholes: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0
) -> Interval | None:
    """What `bootstrap` gives for `ratio`, a hundred times as fast; `count` is the questions whose whole is not 0."""
    part, whole = np.asarray(parts, dtype=float), np.asarray(wholes, dtype=float)
    if not whole.sum():
        return None
    random = np.random.default_rng(seed)
    figures = [_ratios(part, whole, random, rows) for rows in _blocks(resamples, part.size)]
    low, high = np.percentile(np.concatenate(figures), [2.5, 97.5])
    return Interval(float(part.sum() / whole.sum()), float(low), float(high), int((whole != 0).sum()))


def _blocks(resamples: int, count: int) -> list[int]:
    """Resamples to draw at a time, so that a large set needs no more memory than a small one."""
    most = max(1, 4_000_000 // max(count, 1))
    return [min(most, resamples - start) for start in range(0, resamples, most)]


def _ratios(
    part: NDArray[np.float64], whole: NDArray[np.float64], random: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    drawn = random.integers(part.size, size=(resamples, part.size))
    above, below = part[drawn].sum(axis=1), whole[drawn].sum(axis=1)
    defined = below > 0
    figures: NDArray[np.float64] = above[defined] / below[defined]
    return figures


def paired_difference(
    before: Statistic, after: Statistic, count: int, *, resamples: int = RESAMPLES, seed: int = 0
) -> Difference | None:
    """`after` less `before`, two statistics of the same `count` questions; None where either is undefined.

    Each resample draws the same questions for both. The p-value is the share of resamples that lie as far from
    the observed difference as that lies from zero (paired bootstrap of Berg-Kirkpatrick, Burkett and Klein 2012,
    two-sided). It is never below 1 / (resamples + 1).
    """

    def change(drawn: Indices) -> float | None:
        old, new = before(drawn), after(drawn)
        return None if old is None or new is None else new - old

    value = change(np.arange(count)) if count else None
    if value is None:
        return None
    random = np.random.default_rng(seed)
    changes = [change(random.integers(count, size=count)) for _ in range(resamples)]
    drawn = np.array([each for each in changes if each is not None] or [value])
    extreme = int((np.abs(drawn - value) >= abs(value) - 1e-12).sum())
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Difference(value, float(low), float(high), (extreme + 1) / (drawn.size + 1), count)
