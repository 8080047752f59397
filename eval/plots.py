"""Figures drawn as SVG that takes its colours from the page: light and dark are the page's business, not the plot's.

matplotlib draws in stand-in colours, and each stand-in is then replaced by a CSS variable. Text stays text, so that it
can be read out and searched. The only door to matplotlib.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from eval.metrics import Interval, risk_coverage

INK, QUIET, GRID = "#000001", "#000002", "#000003"
SERIES: Final = tuple(f"#0000{number:02x}" for number in range(16, 22))
_VARIABLES: Final = {INK: "--ink", QUIET: "--quiet", GRID: "--grid"} | {
    colour: f"--series-{number}" for number, colour in enumerate(SERIES)
}

WIDTH: Final = 4.4
"""Inches; shown at about 400 pixels, which a phone has and a desktop has twice."""

_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": GRID,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8,
}

Bars = Mapping[str, Mapping[str, Interval]]
"""By series, then by what stands at the bar."""


def bars(name: str, title: str, figures: Bars) -> str:
    """Horizontal bars with their intervals on a scale from 0 to 1, one colour a series."""
    labels = list(dict.fromkeys(label for series in figures.values() for label in series))
    thick = 0.8 / max(len(figures), 1)

    def draw(axes: Any) -> None:
        for number, (series, intervals) in enumerate(figures.items()):
            shown = [(place, intervals[label]) for place, label in enumerate(labels) if label in intervals]
            places = [place + (number - (len(figures) - 1) / 2) * thick for place, _ in shown]
            values = [interval.value for _, interval in shown]
            reach = [
                [interval.value - interval.low for _, interval in shown],
                [interval.high - interval.value for _, interval in shown],
            ]
            colour = SERIES[number % len(SERIES)]
            axes.barh(places, values, thick * 0.86, color=colour, alpha=0.75, label=series)
            axes.errorbar(values, places, xerr=np.maximum(reach, 0), fmt="none", ecolor=INK, elinewidth=0.9)
        axes.set(xlim=(0, 1), title=title)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        _legend(axes, len(figures))

    return _drawn(name, draw, 0.75 + max(len(labels), 1) * (0.14 + 0.14 * len(figures)))


def risk_curves(name: str, title: str, series: Mapping[str, tuple[Sequence[tuple[float, float]], int]]) -> str:
    """Risk against coverage: of each series the pairs (sureness, loss) of its answers, and how many were asked."""

    def draw(axes: Any) -> None:
        for number, (label, (risks, asked)) in enumerate(series.items()):
            curve = risk_coverage([sureness for sureness, _ in risks], [loss for _, loss in risks])
            answered = len(risks) / max(asked, 1)
            points = [(coverage * answered, risk) for coverage, risk in curve]
            if points:
                axes.plot(*zip(*points, strict=True), color=SERIES[number % len(SERIES)], label=label, linewidth=1.6)
        axes.set(xlim=(0, 1), ylim=(0, 1), title=title, xlabel="share of the questions answered", ylabel="risk")
        _legend(axes, len(series))

    return _drawn(name, draw, 2.9)


def shares_within(name: str, title: str, series: Mapping[str, Sequence[float]]) -> str:
    """Share of the answers there after so many seconds: the distribution without a choice of bins."""
    filled = {label: sorted(values) for label, values in series.items() if values}

    def draw(axes: Any) -> None:
        for number, (label, values) in enumerate(filled.items()):
            heights = np.arange(1, len(values) + 1) / len(values)
            axes.step(values, heights, where="post", color=SERIES[number % len(SERIES)], label=label, linewidth=1.6)
        axes.set(ylim=(0, 1), title=title, xlabel="seconds", ylabel="share of the answers")
        axes.set_xlim(left=0)
        _legend(axes, len(filled))

    return _drawn(name, draw, 2.9)


def histograms(name: str, title: str, label: str, series: Mapping[str, Sequence[float]]) -> str:
    """How often each value comes, one over the other, as shares of the series."""
    values = [value for each in series.values() for value in each]
    edges = np.linspace(min(values, default=0.0), max(values, default=1.0) + 1e-9, 25)

    def draw(axes: Any) -> None:
        for number, (name_, each) in enumerate(series.items()):
            weights = np.full(len(each), 1 / max(len(each), 1))
            colour = SERIES[number % len(SERIES)]
            axes.hist(each, edges, weights=weights, color=colour, alpha=0.55, label=f"{name_} ({len(each)})")
        axes.set(title=title, xlabel=label, ylabel="share")
        _legend(axes, len(series))

    return _drawn(name, draw, 2.9)


def lines(name: str, title: str, labels: tuple[str, str], series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Points joined by lines, one colour a series; few points are marked. `labels` are those of the two axes."""

    def draw(axes: Any) -> None:
        for number, (label, points) in enumerate(series.items()):
            marker = "o" if len(points) < 20 else ""
            axes.plot(*zip(*points, strict=True), color=SERIES[number % len(SERIES)], label=label, marker=marker)
        axes.set(title=title, xlabel=labels[0], ylabel=labels[1])
        _legend(axes, len(series))

    return _drawn(name, draw, 2.9)


def _legend(axes: Any, series: int) -> None:
    """Below the axes, where it hides nothing; none for a single series, which the title names."""
    if series > 1:
        axes.figure.legend(loc="outside lower left", ncols=2)


def _drawn(name: str, draw: Callable[[Any], None], height: float) -> str:
    """The SVG element; `name` keeps its ids apart from those of the others on the page."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that matplotlib's font lacks: the page's font draws it
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        buffer = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    return _for_the_page(buffer.getvalue(), name)


def standing_alone(svg: str, page_css: str) -> str:
    """The element as a file of its own, for a page that is not ours: with the colours of `page_css`, light and dark."""
    light = re.search(r":root \{.*?\}", page_css, re.DOTALL)
    dark = re.search(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{.*?\}\s*\}", page_css, re.DOTALL)
    themes = "\n".join(theme[0] for theme in (light, dark) if theme)
    style = f"<style>\n{themes}\nsvg {{ background: var(--card); }}\n</style>"
    opening = svg.index(">") + 1
    return f"{svg[:opening]}\n{style}{svg[opening:]}"


def _for_the_page(svg: str, name: str) -> str:
    """Only the element, its size left to the page, its ids its own, its colours the page's."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg).replace('href="#', f'href="#{name}-')
    for stand_in, variable in _VARIABLES.items():
        svg = svg.replace(stand_in, f"var({variable})")
    return svg
