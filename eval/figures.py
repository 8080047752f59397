"""Scores -> figures with their intervals, over all questions and by kind; differences; thresholds. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eval.metrics import (
    Difference,
    Indices,
    Interval,
    Share,
    Statistic,
    aurc,
    auroc,
    bootstrap,
    paired_difference,
    ratio,
    ratio_interval,
)
from eval.scoring import METRICS, TIMES, Score
from rag.errors import BadInput

ALL: Final = "all"
Figures = Mapping[str, Mapping[str, Interval]]
"""By metric, then by slice: `all`, and where there are several `split:dev`, `type:fact`, ..."""

_NONE: Final = Share(0.0, 0.0)
_CURVES: Final = ("auroc", "aurc")


def summarise(scores: Sequence[Score]) -> dict[str, dict[str, Interval]]:
    """Every metric that is defined, in the order of the tables, on every slice where it is."""
    slices = _slices(scores)
    figures = {}
    for name in METRICS:
        found = {
            where: _interval(name, those) for where, those in slices.items() if where == ALL or name not in _CURVES
        }
        defined = {where: interval for where, interval in found.items() if interval is not None}
        if defined:
            figures[name] = defined
    return figures


def _slices(scores: Sequence[Score]) -> dict[str, list[Score]]:
    slices = {ALL: list(scores)}
    for kind in ("split", "type"):
        names = list(dict.fromkeys(getattr(score, kind) for score in scores))
        if len(names) > 1:
            for name in filter(None, names):
                slices[f"{kind}:{name}"] = [score for score in scores if getattr(score, kind) == name]
    return slices


def _interval(metric: str, scores: Sequence[Score]) -> Interval | None:
    if metric in TIMES:
        return _median([score.times[metric] for score in scores if metric in score.times])
    if metric in _CURVES:
        return bootstrap(statistic(metric, scores), len(scores))
    shares = [score.shares.get(metric, _NONE) for score in scores]
    return ratio_interval([share.part for share in shares], [share.whole for share in shares])


def _median(values: Sequence[float]) -> Interval | None:
    array = np.asarray(values, dtype=float)
    return bootstrap(lambda drawn: float(np.median(array[drawn])), array.size)


def statistic(metric: str, scores: Sequence[Score]) -> Statistic:
    """The metric as a function of which of these questions are drawn; for times there is none."""
    if metric == "auroc":
        return _auroc(scores)
    if metric == "aurc":
        return _aurc(scores)
    shares = [score.shares.get(metric, _NONE) for score in scores]
    return ratio([share.part for share in shares], [share.whole for share in shares])


def _auroc(scores: Sequence[Score]) -> Statistic:
    """A question and its variant with hidden papers are drawn together: they are not independent."""
    most = max((len(score.signals) for score in scores), default=0)
    values, labels = np.full((len(scores), most), np.nan), np.zeros((len(scores), most), dtype=bool)
    for row, score in enumerate(scores):
        for column, (value, answerable) in enumerate(score.signals):
            values[row, column], labels[row, column] = value, answerable

    def of(drawn: Indices) -> float | None:
        known = ~np.isnan(values[drawn])
        return auroc(values[drawn][known], labels[drawn][known])

    return of


def _aurc(scores: Sequence[Score]) -> Statistic:
    risks = np.array([score.risk or (np.nan, np.nan) for score in scores], dtype=float).reshape(-1, 2)

    def of(drawn: Indices) -> float | None:
        known = risks[drawn][~np.isnan(risks[drawn, 0])]
        return aurc(known[:, 0], known[:, 1])

    return of


def compare(before: Sequence[Score], after: Sequence[Score]) -> dict[str, Difference]:
    """What changed, metric by metric, on the questions that both have; times are not compared."""
    old = {score.id: score for score in before}
    pairs = [(old[score.id], score) for score in after if score.id in old]
    differences = {}
    for name in METRICS:
        if name not in TIMES:
            then, now = statistic(name, [pair[0] for pair in pairs]), statistic(name, [pair[1] for pair in pairs])
            difference = paired_difference(then, now, len(pairs))
            if difference is not None:
                differences[name] = difference
    return differences


# --- thresholds -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Threshold:
    """The worst value of a metric that passes: the least, or where less is better the most."""

    metric: str
    value: float

    def broken(self, figures: Figures) -> str | None:
        """What is wrong, in a line; None where the figures pass. A figure that there is none of does not pass."""
        figure = figures.get(self.metric, {}).get(ALL)
        if figure is None:
            return f"{self.metric} is not defined on these questions, wanted {self.value:g}"
        most = METRICS[self.metric].better == "less"
        passes = figure.value <= self.value if most else figure.value >= self.value
        return (
            None
            if passes
            else f"{self.metric} is {figure.value:.3f}, wanted at {'most' if most else 'least'} {self.value:g}"
        )


def read_threshold(text: str) -> Threshold:
    """The threshold that `METRIC=VALUE` names. Raises BadInput where there is no such metric or value."""
    metric, _, value = text.partition("=")
    if metric not in METRICS:
        raise BadInput(f"--fail-under {text!r}: no metric {metric!r}: there is {', '.join(METRICS)}")
    if not re.fullmatch(r"\d+(\.\d+)?|\.\d+", value):
        raise BadInput(f"--fail-under {text!r}: expected METRIC=VALUE with a number, such as {metric}=0.9")
    return Threshold(metric, float(value))
