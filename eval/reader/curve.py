"""What the runs of a training tell, drawn: how the loss fell, and what more examples are worth.

Reads the log that `train` writes, one object a line, and knows no model:

    {"step": 0, "examples": 3328}
    {"step": 104, "of": 416, "loss": 0.91, "seconds": 5.8}
    {"step": 104, "held_loss": 0.96, "held_accuracy": 0.77}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eval.plots import lines, standing_alone
from eval.reader.train import BEST, LOG
from rag.errors import BadInput

SMOOTHED: Final = 15
"""Steps on whose mean a point of the training loss stands: one batch of eight says little."""

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its training loss by step, what the held-back papers said, and how many examples a pass of it has."""

    name: str
    loss: Points
    held: Points
    accuracy: Points
    examples: int

    @property
    def best(self) -> float:
        """The lowest loss on the held-back papers."""
        return min(loss for _, loss in self.held)


def read_run(folder: Path) -> Run:
    """The run in a folder. Raises BadInput where its log cannot be read or is too short to draw."""
    try:
        records = [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]
        loss, held, accuracy = (_points(records, key) for key in ("loss", "held_loss", "held_accuracy"))
        run = Run(folder.name, loss, held, accuracy, _examples(folder, records))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{folder} holds no run that can be read: {error!r}") from None
    if not run.loss or not run.held:
        raise BadInput(f"{folder / LOG} has no step or no check yet: draw it later")
    return run


def draw_course(run: Run) -> str:
    """An SVG file: the loss of one run, on what it learns from and on the papers held back."""
    series = {"examples learned from": _smoothed(run.loss), "papers held back": run.held}
    title = f"Loss a token, {run.name}"
    return _file(lines("course", title, ("step", "cross-entropy"), series))


def draw_accuracy(run: Run) -> str:
    """An SVG file: how many tokens of the held-back statements the model would have written itself."""
    series = {"papers held back": run.accuracy}
    return _file(lines("accuracy", f"Tokens foretold, {run.name}", ("step", "share"), series))


def draw_learning(runs: Sequence[Run]) -> str:
    """An SVG file: the best held-back loss of each finished run over the number of its examples."""
    points = sorted((float(run.examples), run.best) for run in runs if run.examples)
    return _file(lines("learning", "What more examples are worth", ("examples", "held-back loss"), {"runs": points}))


def draw(folders: Sequence[Path], out: Path) -> list[Path]:
    """The figures of these runs as files in `out`: the course of each, and of several the learning curve."""
    runs = [read_run(folder) for folder in folders]
    figures = {f"{run.name}-loss.svg": draw_course(run) for run in runs}
    figures |= {f"{run.name}-accuracy.svg": draw_accuracy(run) for run in runs if run.accuracy}
    if sum(bool(run.examples) for run in runs) > 1:
        figures["learning-curve.svg"] = draw_learning(runs)
    out.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        (out / name).write_text(figure, encoding="utf-8")
    return [out / name for name in figures]


def _examples(folder: Path, records: Sequence[dict[str, Any]]) -> int:
    """As many as it told; of an older log, as were asked for or its steps took. 0 while the run is not finished."""
    path = folder / BEST / "recipe.json"
    if not path.is_file():
        return 0
    if told := [record["examples"] for record in records if "examples" in record]:
        return int(told[-1])
    recipe = json.loads(path.read_text(encoding="utf-8"))
    planned = max(record.get("of", 0) for record in records)
    return int(recipe["examples"] or planned * recipe["batch"] / recipe["passes"])


def _points(records: Sequence[dict[str, Any]], key: str) -> Points:
    """By step; a run that was resumed went some steps twice, and the later time counts."""
    found = {float(record["step"]): float(record[key]) for record in records if key in record}
    return sorted(found.items())


def _smoothed(points: Points) -> Points:
    """Each point as the mean of the last steps up to it."""
    means = []
    for place, (step, _) in enumerate(points):
        window = points[max(0, place + 1 - SMOOTHED) : place + 1]
        means.append((step, sum(loss for _, loss in window) / len(window)))
    return means


def _file(svg: str) -> str:
    return standing_alone(svg, (Path(__file__).parents[1] / "page.css").read_text(encoding="utf-8"))
