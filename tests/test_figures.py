from __future__ import annotations

import re

import pytest

from eval.figures import ALL, Threshold, compare, read_threshold, summarise
from eval.metrics import Interval, Share
from eval.scoring import METRICS, Score
from rag.errors import BadInput


def score(name: str, facts: float | None = None, **fields: object) -> Score:
    shares = {} if facts is None else {"facts": Share(facts)}
    return Score(name, shares=shares, **fields)  # type: ignore[arg-type]


SCORES = (
    score("a", 1.0, type="fact", split="dev", times={"total_s": 1.0}),
    score("b", 0.0, type="fact", split="test", times={"total_s": 9.0}),
    score("c", 0.5, type="multi", split="test", times={"total_s": 2.0}),
    score("d", None, type="offtopic", split="dev"),
)


def test_figures_are_over_all_and_by_kind() -> None:
    facts = summarise(SCORES)["facts"]
    assert {name: figure.value for name, figure in facts.items()} == {
        ALL: 0.5,
        "split:dev": 1.0,
        "split:test": 0.25,
        "type:fact": 0.5,
        "type:multi": 0.5,
    }
    assert facts[ALL].count == 3


def test_one_kind_alone_is_no_slice_and_no_kind_is_none() -> None:
    assert set(summarise([score("a", 1.0, type="fact"), score("b", 1.0, type="fact")])["facts"]) == {ALL}
    assert set(summarise([score("a", 1.0, type="fact"), score("b", 1.0)])["facts"]) == {ALL, "type:fact"}


def test_a_time_is_a_median_of_those_measured() -> None:
    assert summarise(SCORES)["total_s"][ALL].value == 2.0
    assert "first_statement_s" not in summarise(SCORES)


def test_figures_come_in_the_order_of_the_tables() -> None:
    shares = {name: Share(1.0) for name in reversed(METRICS)}
    order = list(summarise([Score("a", shares=shares)]))
    assert order == [name for name in METRICS if name in order]


def test_the_curves_are_over_all_questions() -> None:
    scores = [
        Score("a", type="fact", signals=((0.9, True), (0.2, False)), risk=(0.9, 0.0)),
        Score("b", type="fact", signals=((0.4, True), (0.5, False)), risk=(0.4, 1.0)),
        Score("c", type="offtopic", signals=((0.1, False),)),
    ]
    figures = summarise(scores)
    assert figures["auroc"][ALL].value == pytest.approx(5 / 6)  # of six pairs only .4 < .5 is out of order
    assert figures["aurc"][ALL].value == pytest.approx((0 + 0.5) / 2)
    assert set(figures["auroc"]) == {ALL}


def test_nothing_has_no_figures() -> None:
    assert summarise([]) == {}


# --- differences ------------------------------------------------------------------------------------------------------


def test_a_change_is_measured_on_the_questions_that_both_have() -> None:
    before = [score("a", 0.0), score("b", 0.5), score("gone", 1.0)]
    after = [score("new", 0.0), score("b", 0.5), score("a", 1.0)]
    change = compare(before, after)["facts"]
    assert (change.value, change.count) == (0.5, 2)


def test_what_is_undefined_before_or_after_has_no_change() -> None:
    assert "facts" not in compare([score("a")], [score("a", 1.0)])
    assert compare([score("a", 1.0)], [score("b", 1.0)]) == {}


def test_times_are_not_compared() -> None:
    assert "total_s" not in compare(SCORES, SCORES)


def test_a_large_improvement_is_significant() -> None:
    names = [f"q{number}" for number in range(30)]
    change = compare([score(name, 0.0) for name in names], [score(name, 1.0) for name in names])["facts"]
    assert change.p_value < 0.01


# --- thresholds -------------------------------------------------------------------------------------------------------


def figures_of(metric: str, value: float) -> dict[str, dict[str, Interval]]:
    return {metric: {ALL: Interval(value, value, value, 10)}}


@pytest.mark.parametrize(
    ("text", "value", "broken"),
    [
        ("facts=0.6", 0.6, None),
        ("facts=.6", 0.59, "facts is 0.590, wanted at least 0.6"),
        ("over_refusal=0.1", 0.1, None),
        ("over_refusal=0.1", 0.11, "over_refusal is 0.110, wanted at most 0.1"),
        ("total_s=5", 6.0, "total_s is 6.000, wanted at most 5"),
        ("recall@5=1", 1.0, None),
    ],
)
def test_a_threshold_is_the_worst_value_that_passes(text: str, value: float, broken: str | None) -> None:
    threshold = read_threshold(text)
    assert threshold.broken(figures_of(threshold.metric, value)) == broken


def test_a_figure_that_there_is_none_of_does_not_pass() -> None:
    assert Threshold("facts", 0.1).broken({}) == "facts is not defined on these questions, wanted 0.1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fact=0.5", "no metric 'fact': there is recall@1, "),
        ("", "no metric ''"),
        ("facts", "expected METRIC=VALUE with a number, such as facts=0.9"),
        ("facts=", "expected METRIC=VALUE"),
        ("facts=high", "expected METRIC=VALUE"),
        ("facts=nan", "expected METRIC=VALUE"),
        ("facts=-1", "expected METRIC=VALUE"),
        ("facts=0.5%", "expected METRIC=VALUE"),
    ],
)
def test_what_is_no_threshold_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        read_threshold(text)
