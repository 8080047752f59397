"""Scored trials of several subjects -> one evaluation: its JSON, its table, and what changed since another.

{"schema": 1, "created": "2026-01-31T12:00:00+00:00", "about": {"questions": "pretraining.jsonl", …},
 "subjects": [{"name": "footnote-reader-135m (OpenVINO)",
               "figures": {"facts": {"all": {"value": 0.61, "low": 0.55, …}, "type:fact": …}, …},
               "gains": {"facts": {"value": 0.02, "p_value": 0.3, …}, …}, "changes": {…},
               "rows": [{"id": "fact-01", "question": "…", "shares": {"facts": [0.5, 1.0], …},
                         "asked": {"answered": true, …}, …}]}]}

`gains`, to quotations alone, and `changes`, to the baseline, are there only where there is something to compare with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eval.diagnosis import faults
from eval.figures import ALL, Figures, compare, summarise
from eval.metrics import Difference, Interval, Share
from eval.results import Result
from eval.scoring import GROUPS, Metric, Score, Scored
from eval.subjects import QUOTES_ONLY
from rag.errors import BadInput
from rag.records import Paper
from rag.text import normalise

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

SCHEMA: Final = 1
SIGNIFICANT: Final = 0.05
"""Differences with a smaller p-value are marked. Thirty metrics are looked at: one or two are marked by chance."""

MAX_BASELINE_BYTES: Final = 256 * 2**20


@dataclass(frozen=True)
class SubjectReport:
    """One subject with every trial scored; `figures` are made from the scores."""

    name: str
    scored: tuple[Scored, ...]
    figures: Figures

    @property
    def scores(self) -> list[Score]:
        """The scores, in the order of the questions."""
        return [each.score for each in self.scored]


@dataclass(frozen=True)
class Evaluation:
    """What one run found.

    `about` says in words what was run on what. `changes` are the differences of each subject, by name, to the same
    subject in the baseline; `gains` those to quotations alone.
    """

    about: Mapping[str, str]
    created: str
    papers: Mapping[str, Paper]
    subjects: tuple[SubjectReport, ...]
    gains: Mapping[str, Mapping[str, Difference]] = field(default_factory=dict)
    changes: Mapping[str, Mapping[str, Difference]] = field(default_factory=dict)

    @property
    def main(self) -> SubjectReport:
        """The subject that the run was for: the first one that writes, else quotations alone."""
        return next((each for each in self.subjects if each.name != QUOTES_ONLY), self.subjects[0])


def evaluate(
    scored: Mapping[str, tuple[Scored, ...]],
    papers: Mapping[str, Paper],
    about: Mapping[str, str],
    created: str,
    baseline: Baseline | None = None,
) -> Evaluation:
    """The evaluation of subjects, by name; `created` is an ISO 8601 date and time."""
    subjects = tuple(
        SubjectReport(name, rows, summarise([each.score for each in rows])) for name, rows in scored.items()
    )
    quoting = next((each for each in subjects if each.name == QUOTES_ONLY), None)
    gains = {
        each.name: compare(quoting.scores, each.scores)
        for each in subjects
        if quoting is not None and each is not quoting
    }
    before = baseline.scores if baseline is not None else {}
    changes = {each.name: compare(before[each.name], each.scores) for each in subjects if each.name in before}
    return Evaluation(about, created, papers, subjects, gains, changes)


# --- JSON -------------------------------------------------------------------------------------------------------------


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """The whole evaluation as a JSON object, every answer included."""
    return {
        "schema": SCHEMA,
        "created": evaluation.created,
        "about": dict(evaluation.about),
        "subjects": [_subject_json(subject, evaluation) for subject in evaluation.subjects],
    }


def _subject_json(subject: SubjectReport, evaluation: Evaluation) -> dict[str, Any]:
    tables = {"gains": evaluation.gains, "changes": evaluation.changes}
    return {
        "name": subject.name,
        "figures": {
            metric: {where: asdict(interval) for where, interval in slices.items()}
            for metric, slices in subject.figures.items()
        },
        **{
            title: {metric: asdict(each) for metric, each in table[subject.name].items()}
            for title, table in tables.items()
            if subject.name in table
        },
        "rows": [_row_json(each, evaluation.papers) for each in subject.scored],
    }


def _row_json(scored: Scored, papers: Mapping[str, Paper]) -> dict[str, Any]:
    question, score, hidden = scored.trial.question, scored.score, scored.trial.hidden
    return {
        "id": question.id,
        "type": question.type,
        "split": question.split,
        "question": question.question,
        "answerable": question.answerable,
        "gold": sorted(scored.gold),
        "shares": {name: [share.part, share.whole] for name, share in score.shares.items()},
        "signals": score.signals,
        "risk": score.risk,
        "times": dict(score.times),
        "verdicts": [asdict(verdict) for verdict in scored.verdicts],
        "faults": faults(scored, papers),
        "asked": _result_json(scored.trial.asked),
        "hidden": None if hidden is None else _result_json(hidden),
    }


def _result_json(result: Result) -> dict[str, Any]:
    return {name: value for name, value in result.json().items() if value not in (None, (), [], "")}


@dataclass(frozen=True)
class Baseline:
    """An earlier evaluation, as far as it can be compared: the scores of each subject."""

    path: Path
    scores: Mapping[str, Sequence[Score]]


def read_baseline(path: Path) -> Baseline:
    """The evaluation that `--json` wrote to `path`. Raises BadInput where it is no such file."""
    try:
        if path.stat().st_size > MAX_BASELINE_BYTES:
            raise BadInput(f"{path}: larger than {MAX_BASELINE_BYTES // 2**20} MiB: not an evaluation")
        record = json.loads(path.read_bytes())
        if record["schema"] != SCHEMA:
            raise BadInput(f"{path}: schema {record['schema']!r}, this version compares {SCHEMA}: run it again")
        subjects = record["subjects"]
        return Baseline(path, {str(each["name"]): [_score(row) for row in each["rows"]] for each in subjects})
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}: cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInput(f"{path}: not an evaluation: expected what `footnote eval --json` wrote") from None


def _score(row: Mapping[str, Any]) -> Score:
    return Score(
        id=str(row["id"]),
        type=str(row["type"]),
        split=str(row["split"]),
        shares={str(name): Share(float(part), float(whole)) for name, (part, whole) in row["shares"].items()},
        signals=tuple((float(score), bool(answerable)) for score, answerable in row["signals"]),
        risk=None if row["risk"] is None else (float(row["risk"][0]), float(row["risk"][1])),
    )


# --- the table --------------------------------------------------------------------------------------------------------


def table(evaluation: Evaluation) -> RenderableType:
    """The figures for a terminal: metrics down, subjects across, with what changed beside them."""
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    drawn.add_column("")
    for subject in evaluation.subjects:
        drawn.add_column(Text(normalise(subject.name)), justify="right")
        if subject.name in evaluation.gains:
            drawn.add_column("to quotes", justify="right")
        if subject.name in evaluation.changes:
            drawn.add_column("to baseline", justify="right")
    for group, metrics in GROUPS.items():
        shown = [metric for metric in metrics if any(metric.name in each.figures for each in evaluation.subjects)]
        if shown:
            drawn.add_row(Text(group, style="bold"))
        for metric in shown:
            drawn.add_row(Text(f"  {metric.name}"), *_cells(metric, evaluation))
    return drawn


def _cells(metric: Metric, evaluation: Evaluation) -> list[Text]:
    from rich.text import Text

    cells = []
    for subject in evaluation.subjects:
        cells.append(Text(figure_text(metric, subject.figures.get(metric.name, {}).get(ALL))))
        for differences in (evaluation.gains, evaluation.changes):
            if subject.name in differences:
                change = differences[subject.name].get(metric.name)
                cells.append(Text(difference_text(metric, change), style=_style(metric, change)))
    return cells


def figure_text(metric: Metric, figure: Interval | None) -> str:
    """A figure with its interval, as tables print it: `.612 [.55, .67]`."""
    if figure is None:
        return "–"
    low, high = (number_text(metric, each, 2) for each in (figure.low, figure.high))
    return f"{number_text(metric, figure.value, 3)} [{low}, {high}]"


def difference_text(metric: Metric, difference: Difference | None) -> str:
    """A difference, a star behind it where it is significant: `+.031*`."""
    if difference is None:
        return ""
    sign = "−" if difference.value < 0 else "+"
    return f"{sign}{number_text(metric, abs(difference.value), 3)}{'*' if is_significant(difference) else ' '}"


def is_significant(difference: Difference) -> bool:
    """Whether chance is an unlikely explanation."""
    return difference.p_value < SIGNIFICANT


def verdict(metric: Metric, difference: Difference | None) -> str:
    """`better` or `worse` where the difference is significant and one of the two, else nothing."""
    if difference is None or not is_significant(difference) or metric.better == "neither":
        return ""
    return "better" if (difference.value > 0) == (metric.better == "more") else "worse"


def _style(metric: Metric, difference: Difference | None) -> str:
    return {"better": "green", "worse": "red"}.get(verdict(metric, difference), "")


def number_text(metric: Metric, value: float, digits: int) -> str:
    """A value in the metric's unit; shares without the zero before the point, as is usual between 0 and 1."""
    if metric.unit in {"words", "a second"}:
        return f"{value:.1f}"
    text = f"{value:.{digits}f}"
    return text.removeprefix("0") if metric.unit == "share" and value < 1 else text
