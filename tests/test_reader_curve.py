"""The figures of a training: read from its log as it was, and files that any page can show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from eval.reader.__main__ import main
from eval.reader.curve import SMOOTHED, draw, draw_course, draw_learning, read_run
from eval.reader.train import BEST, LOG
from rag.errors import BadInput

STEPS = [{"step": step, "of": 4, "loss": 2.0 / step, "seconds": 1.0} for step in range(1, 5)]
CHECKS = [{"step": 2, "held_loss": 1.5, "held_accuracy": 0.6}, {"step": 4, "held_loss": 1.25, "held_accuracy": 0.7}]


def make_run(folder: Path, records: list[dict[str, Any]], examples: int | None = None, batch: int = 8) -> Path:
    (folder / BEST).mkdir(parents=True)
    (folder / LOG).write_text("".join(json.dumps(record) + "\n" for record in records))
    recipe = {"examples": examples, "batch": batch, "passes": 2}
    (folder / BEST / "recipe.json").write_text(json.dumps(recipe))
    return folder


def test_a_run_is_read(tmp_path: Path) -> None:
    run = read_run(make_run(tmp_path / "main", [*STEPS, *CHECKS]))
    assert run.name == "main"
    assert run.loss[:2] == [(1, 2.0), (2, 1.0)]
    assert run.held == [(2, 1.5), (4, 1.25)]
    assert run.accuracy == [(2, 0.6), (4, 0.7)]
    assert run.best == 1.25


@pytest.mark.parametrize(("asked", "expected"), [(150, 150), (None, 16)], ids=["asked for", "all, by its steps"])
def test_how_many_examples_a_pass_has(tmp_path: Path, asked: int | None, expected: int) -> None:
    assert read_run(make_run(tmp_path / "main", [*STEPS, *CHECKS], asked)).examples == expected


def test_what_a_run_tells_of_its_examples_counts_and_not_its_whole_batches(tmp_path: Path) -> None:
    told = {"step": 0, "examples": 13}
    assert read_run(make_run(tmp_path / "all", [told, *STEPS, *CHECKS])).examples == 13
    assert read_run(make_run(tmp_path / "more asked for", [told, *STEPS, *CHECKS], 150)).examples == 13


def test_a_run_that_is_not_finished_is_not_on_the_learning_curve(tmp_path: Path) -> None:
    folders = [make_run(tmp_path / name, [*STEPS, *CHECKS], 150) for name in ("a", "b", "half")]
    (folders[2] / BEST / "recipe.json").unlink()
    finished, half = [read_run(folder) for folder in folders[:2]], read_run(folders[2])
    assert half.examples == 0
    assert draw_learning([*finished, half]) == draw_learning(finished)
    made = {path.name for path in draw(folders[1:], tmp_path / "out")}
    assert "half-loss.svg" in made
    assert "learning-curve.svg" not in made


def test_of_a_step_that_a_resumed_run_went_twice_the_later_counts(tmp_path: Path) -> None:
    again = {"step": 4, "of": 4, "loss": 9.0, "seconds": 1.0}
    assert read_run(make_run(tmp_path / "main", [*STEPS, again, *CHECKS])).loss[-1] == (4, 9.0)
    assert len(read_run(tmp_path / "main").loss) == 4


@pytest.mark.parametrize(
    "log",
    [None, "", "{", "[]\n", '{"step": "x", "loss": 1, "held_loss": 1}\n', json.dumps(STEPS[0])],
    ids=["missing", "empty", "cut short", "a list", "no number", "not checked yet"],
)
def test_a_run_that_cannot_be_drawn_is_one_line(tmp_path: Path, log: str | None) -> None:
    folder = make_run(tmp_path / "main", STEPS)
    (folder / LOG).unlink()
    if log is not None:
        (folder / LOG).write_text(log)
    with pytest.raises(BadInput, match="main") as caught:
        read_run(folder)
    assert "\n" not in str(caught.value)


def test_the_course_is_a_file_of_its_own_in_light_and_dark(tmp_path: Path) -> None:
    figure = draw_course(read_run(make_run(tmp_path / "main", [*STEPS, *CHECKS])))
    assert ElementTree.fromstring(figure).tag == "{http://www.w3.org/2000/svg}svg"
    used = {name.split(")")[0] for name in figure.split("var(")[1:]}
    light, dark = figure.split("@media (prefers-color-scheme: dark)")
    for name in used:
        assert f"{name}:" in light
        assert f"{name}:" in dark
    assert "papers held back" in figure


def test_a_run_gets_its_figures_and_several_the_learning_curve(tmp_path: Path) -> None:
    few = make_run(tmp_path / "few", [*STEPS, *CHECKS], 150)
    old = make_run(tmp_path / "old", [*STEPS, {"step": 4, "held_loss": 1.0}])
    assert {path.name for path in draw([few], tmp_path / "one")} == {"few-loss.svg", "few-accuracy.svg"}
    made = {path.name for path in draw([few, old], tmp_path / "two")}
    assert made == {"few-loss.svg", "few-accuracy.svg", "old-loss.svg", "learning-curve.svg"}
    assert made == {path.name for path in (tmp_path / "two").iterdir()}


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    runs = [read_run(make_run(tmp_path / name, [*STEPS, *CHECKS], 150)) for name in ("a", "b")]
    assert draw_learning(runs) == draw_learning(runs[::-1])


def test_a_point_of_the_training_loss_is_the_mean_of_the_last_steps(tmp_path: Path) -> None:
    from eval.reader.curve import _smoothed

    points = [(float(step), float(step)) for step in range(1, SMOOTHED + 2)]
    smoothed = _smoothed(points)
    assert smoothed[0] == (1.0, 1.0)
    assert smoothed[1] == (2.0, 1.5)
    assert smoothed[-1] == (SMOOTHED + 1.0, sum(range(2, SMOOTHED + 2)) / SMOOTHED)


def test_the_command_names_the_files_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "main", [*STEPS, *CHECKS])
    assert main(["curve", str(run), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [Path(line).is_file() for line in told] == [True, True]
    assert main(["curve", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 1
    assert "nowhere" in capsys.readouterr().err
