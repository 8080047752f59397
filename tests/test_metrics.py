"""Every expected value is worked by hand; the working stands beside it where it is not plain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics import (
    Difference,
    Interval,
    abstention,
    aurc,
    auroc,
    bootstrap,
    citation_precision,
    citation_recall,
    fabricated_titles,
    fact_coverage,
    mean,
    paired_difference,
    quoted_share,
    ratio,
    ratio_interval,
    retrieval,
    risk_coverage,
    statement_precision,
    statement_recall,
    states,
    word_count,
    worded_share,
)

# --- ranking --------------------------------------------------------------------------------------


def test_retrieval_of_a_ranking_worked_by_hand() -> None:
    scores = retrieval({"q": ["wrong", "a", "b"]}, {"q": {"a": 1, "b": 1}})["q"]
    # DCG = 1/log2(3) + 1/log2(4) = 1.13093; the ideal is 1/log2(2) + 1/log2(3) = 1.63093
    assert scores == pytest.approx(
        {"recall@1": 0, "recall@5": 1, "recall@10": 1, "ndcg@10": 1.13093 / 1.63093, "rr@10": 0.5}, abs=1e-5
    )


def test_recall_counts_all_gold_papers() -> None:
    scores = retrieval({"q": ["a", "x", "y", "z", "w", "b"]}, {"q": {"a": 1, "b": 1, "c": 1, "d": 1}})["q"]
    assert (scores["recall@1"], scores["recall@5"], scores["recall@10"]) == (0.25, 0.25, 0.5)


def test_a_query_that_found_nothing_scores_zero_and_is_not_left_out() -> None:
    scores = retrieval({"empty": []}, {"empty": {"a": 1}, "absent": {"a": 1}})
    assert {query: set(values.values()) for query, values in scores.items()} == {
        "empty": {0.0},
        "absent": {0.0},
    }


def test_a_paper_ranked_twice_counts_once_at_its_better_rank() -> None:
    assert retrieval({"q": ["a", "b", "a"]}, {"q": {"a": 1}})["q"]["rr@10"] == 1.0


# --- facts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wordings", "expected"),
    [
        ("It OUTPERFORMS all others.", ["outperform"], True),
        ("It underperforms.", ["perform"], False),
        ("up to 84% less", ["84%"], True),
        ("up to 184% less", ["84%"], False),
        ("trained by LoRA (rank 8)", ["(rank"], True),
        ("a Straße", ["STRASSE"], True),
        ("none of these", ["one", "two"], False),
        ("none, or two", ["one", "two"], True),
        ("anything", [], False),
        ("a.b", ["a?b"], False),
    ],
)
def test_a_fact_is_stated_in_one_of_its_wordings(text: str, wordings: list[str], expected: bool) -> None:
    assert states(text, wordings) is expected


def test_fact_coverage_is_the_share_of_facts_stated() -> None:
    facts = [["OSCAR"], ["TPU", "tensor processing unit"], ["145 GB"]]
    assert fact_coverage("Trained on OSCAR with tensor processing units.", facts) == pytest.approx(2 / 3)
    assert fact_coverage("", facts) == 0
    assert fact_coverage("anything", []) is None


def test_cited_titles_count_only_where_they_are_handed_over() -> None:
    assert fact_coverage("This one.", [["GottBERT"]]) == 0
    assert fact_coverage("This one.", [["GottBERT"]], ["GottBERT: a pure German Language Model"]) == 1


# --- citations ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cited", "gold", "precision", "recall"),
    [
        (["a", "b"], ["a", "c", "d"], 1 / 2, 1 / 3),
        (["a", "a", "b"], ["a"], 1 / 2, 1),
        ([], ["a"], None, 0),
        (["a"], [], None, None),
        (["x"], ["a"], 0, 0),
    ],
    ids=["partly", "cited twice", "refused", "unanswerable", "wrong paper"],
)
def test_citations_against_gold(
    cited: list[str], gold: list[str], precision: float | None, recall: float | None
) -> None:
    assert citation_precision(cited, gold) == precision
    assert citation_recall(cited, gold) == recall


def test_fabricated_titles_are_those_the_collection_does_not_hold() -> None:
    assert fabricated_titles(["A", "B ", "a", "B "], {"A", "B"}) == ("B ", "a")


# --- support --------------------------------------------------------------------------------------


def holds_words(statement: str, sources: Sequence[str]) -> bool:
    """A judge for tests: all words of the statement occur in the sources together."""
    return set(statement.split()) <= set(" ".join(sources).split())


@pytest.mark.parametrize(
    ("sources", "recall", "precision"),
    [
        (["a b"], 1, 1),
        (["a"], 0, 0),
        ([], 0, None),
        (["a", "b"], 1, 1),  # each is needed
        (["a b", "c"], 1, 1 / 2),  # the second is not needed and says nothing
        (["a b", "b a"], 1, 1),  # each would do alone
        (["a b", "a"], 1, 1 / 2),  # part of it, but the other does without
        (["a", "b", "c"], 1, 2 / 3),
        (["a", "c"], 0, 0),  # together not enough: no citation counts
    ],
    ids=["one", "too little", "none", "both needed", "one idle", "either", "partial", "idle third", "short"],
)
def test_alce_recall_and_precision_of_a_statement(sources: list[str], recall: float, precision: float | None) -> None:
    assert statement_recall("a b", sources, holds_words) == recall
    assert statement_precision("a b", sources, holds_words) == (precision and pytest.approx(precision))


# --- abstention -----------------------------------------------------------------------------------


def rates(abstained: Sequence[bool], answerable: Sequence[bool]) -> list[float | None]:
    """Precision, recall, F1 and over-refusal."""
    questions = [abstention(refused, could) for refused, could in zip(abstained, answerable, strict=True)]
    names = ("abstention_precision", "abstention_recall", "abstention_f1", "over_refusal")
    shares = [[question[name] for question in questions] for name in names]
    every = np.arange(len(questions))
    return [ratio([each.part for each in column], [each.whole for each in column])(every) for column in shares]


def test_abstention_worked_by_hand() -> None:
    # refused: one answerable, two unanswerable; answered: two answerable, one unanswerable
    abstained = [True, True, True, False, False, False]
    answerable = [True, False, False, True, True, False]
    assert rates(abstained, answerable) == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1 / 3])


@pytest.mark.parametrize(
    ("abstained", "expected"),
    [([False, False], [None, 0, 0, 0]), ([True, True], [0.5, 1, pytest.approx(2 / 3), 1])],
    ids=["answers everything", "refuses everything"],
)
def test_an_extreme_assistant_loses_where_it_should(abstained: list[bool], expected: list[float | None]) -> None:
    assert rates(abstained, [True, False]) == expected


def test_a_rate_over_no_questions_is_undefined() -> None:
    assert rates([], []) == [None] * 4


@pytest.mark.parametrize(
    ("scores", "positive", "expected"),
    [
        ([3, 2, 1], [True, False, False], 1),
        ([1, 2, 3], [True, False, False], 0),
        ([1, 1, 1], [True, False, False], 0.5),
        ([4, 2, 3, 2], [True, True, False, False], 0.625),  # pairs: 1, 1, 0, half of 4
        ([1, 2], [True, True], None),
        ([], [], None),
    ],
    ids=["perfect", "reversed", "all tied", "one tie", "no negative", "empty"],
)
def test_auroc_worked_by_hand(scores: list[float], positive: list[bool], expected: float | None) -> None:
    assert auroc(scores, positive) == expected


LABELLED = st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=2, max_size=30)


@settings(max_examples=100)
@given(LABELLED)
def test_auroc_is_the_share_of_ordered_pairs(rows: list[tuple[int, bool]]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a, yes in rows if yes for b, no in rows if not no]
    scores, labels = [row[0] for row in rows], [row[1] for row in rows]
    assert auroc(scores, labels) == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)
    assert auroc([2.0**score for score in scores], labels) == auroc(scores, labels)  # only the order counts


def test_risk_coverage_worked_by_hand() -> None:
    points = risk_coverage([0.9, 0.5, 0.7, 0.1], [0, 1, 0, 1])
    assert points == [(0.25, 0), (0.5, 0), (0.75, pytest.approx(1 / 3)), (1, 0.5)]
    assert aurc([0.9, 0.5, 0.7, 0.1], [0, 1, 0, 1]) == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert risk_coverage([], []) == []
    assert aurc([], []) is None


@settings(max_examples=50)
@given(LABELLED, st.randoms())
def test_the_order_of_equal_confidences_does_not_matter(rows: list[tuple[int, bool]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    curves = [risk_coverage([row[0] for row in r], [row[1] for row in r]) for r in (rows, shuffled)]
    assert np.allclose(*curves)
    assert curves[0][-1][1] == pytest.approx(sum(lost for _, lost in rows) / len(rows))


# --- form -----------------------------------------------------------------------------------------


def test_form() -> None:
    assert word_count(" LoRA trains  0.1% of\nall weights. ") == 6
    assert quoted_share(["quoted", "supported", "quoted", "quoted"]) == 0.75
    assert quoted_share([]) is None
    assert mean([1, None, 0]) == 0.5
    assert mean([None]) is None


# --- certainty ------------------------------------------------------------------------------------


def mean_interval(values: Sequence[float], **options: int) -> Interval | None:
    return ratio_interval(values, [1.0] * len(values), **options)


def means(before: Sequence[float], after: Sequence[float], **options: int) -> Difference | None:
    ones = [1.0] * len(before)
    return paired_difference(ratio(before, ones), ratio(after, ones), len(before), **options)


def test_the_interval_of_a_rate_is_near_the_textbook_one() -> None:
    interval = ratio_interval([1.0] * 70 + [0.0] * 35, [1.0] * 100 + [0.0] * 5)
    assert interval is not None
    assert (interval.value, interval.count) == (0.7, 100)
    # normal approximation: .7 ± 1.96 * sqrt(.7 * .3 / 100) = .610 .. .790
    assert interval.low == pytest.approx(0.61, abs=0.02)
    assert interval.high == pytest.approx(0.79, abs=0.02)


def test_intervals_are_repeatable_and_seeded() -> None:
    values = [float(value) for value in np.random.default_rng(1).normal(size=40)]
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values, seed=1) != mean_interval(values)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_an_interval_lies_within_the_values(values: list[float]) -> None:
    interval = mean_interval(values, resamples=200)
    assert interval is not None
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9


def test_a_ratio_is_of_sums_not_a_mean_of_ratios() -> None:
    interval = ratio_interval([1, 0, 3], [1, 0, 9])  # 4 of 10, where the mean of 1/1 and 3/9 would be .67
    assert interval is not None
    assert (interval.value, interval.count) == (0.4, 2)


def test_both_ways_to_a_ratio_agree() -> None:
    random = np.random.default_rng(2)
    wholes = random.integers(0, 5, size=60).astype(float)
    parts = wholes * random.random(60)
    slow = bootstrap(ratio(list(parts), list(wholes)), 60, resamples=4_000)
    fast = ratio_interval(list(parts), list(wholes), resamples=4_000)
    assert slow is not None
    assert fast is not None
    assert (fast.value, fast.low, fast.high) == pytest.approx((slow.value, slow.low, slow.high), abs=0.01)


def test_any_statistic_has_an_interval() -> None:
    scores, labels = np.array([5, 4, 3, 2, 1, 0]), np.array([True, True, False, True, False, False])
    interval = bootstrap(lambda drawn: auroc(scores[drawn], labels[drawn]), 6, resamples=500)
    assert interval is not None
    assert interval.value == pytest.approx(8 / 9)
    assert 0 <= interval.low < 8 / 9 < interval.high <= 1


def test_nothing_has_no_interval() -> None:
    assert ratio_interval([], []) is None
    assert ratio_interval([0, 0], [0, 0]) is None
    assert bootstrap(lambda drawn: None, 5) is None
    assert bootstrap(ratio([], []), 0) is None
    assert paired_difference(ratio([0], [0]), ratio([1], [1]), 1) is None


def test_a_clear_improvement_is_significant_and_noise_is_not() -> None:
    random = np.random.default_rng(3)
    before, noise = random.normal(size=100), random.normal(size=100)
    better = means(list(before), list(before + noise + 0.5))
    same = means(list(before), list(before + noise))
    assert better is not None
    assert same is not None
    assert better.low > 0
    assert better.p_value < 0.01
    assert same.low < 0 < same.high
    assert same.p_value > 0.05


def test_a_difference_is_paired_and_signed() -> None:
    difference = means([0.0, 1.0], [1.0, 1.0])
    assert difference is not None
    assert (difference.value, difference.count) == (0.5, 2)
    unchanged = means([0.3, 0.9], [0.3, 0.9])
    assert unchanged is not None
    assert (unchanged.value, unchanged.low, unchanged.high, unchanged.p_value) == (0, 0, 0, 1)


def test_the_p_value_agrees_with_the_normal_one() -> None:
    # 50 changes of mean .2 and standard deviation 1 (exactly): z = .2 * sqrt(50) = 1.414, two-sided p = .157
    changes = np.random.default_rng(5).normal(size=50)
    changes = (changes - changes.mean()) / changes.std() + 0.2
    difference = means([0.0] * 50, list(changes), resamples=4_000)
    assert difference is not None
    assert difference.p_value == pytest.approx(0.157, abs=0.03)


def test_a_statement_that_copies_twelve_words_in_a_row_is_no_wording() -> None:
    source = "one two three four five six seven eight nine ten eleven twelve thirteen"
    copied, worded = source.replace(" thirteen", "") + ".", "One two three, and seven eight nine ten eleven twelve."
    assert worded_share([(copied, source), (worded, source)]) == 0.5
    assert worded_share([]) is None
