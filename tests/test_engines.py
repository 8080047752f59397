"""Two engines side by side: the same questions, times and ratios, quality and its difference."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from io import StringIO

import pytest
from eval_cases import COLLECTION, QUESTIONS, AnswersEverything, Honest, RefusesEverything
from rich.console import Console

from eval.benchmarks.engines import Comparison, Engine, measure, tables
from eval.judge import load_judge
from eval.subjects import Subject, Written
from rag.errors import BadInput
from rag.models import Generator, Limits, Message
from rag.records import Event, Scope, Turn

HALF_A_SECOND = Written(20, 0.5)


class Ticking(Generator):
    """Gives five tokens, waiting before each."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s / 200

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        for _ in range(5):
            time.sleep(self.wait_s)
            yield "token "


class Writing(Honest):
    """Takes its time over each answer: so many tokens, so many seconds."""

    def __init__(self, inner: Honest, order: list[str], name: str, written: Written) -> None:
        super().__init__()
        self.inner, self.order, self.name, self.written = inner, order, name, written

    def stream(self, question: str, history: Sequence[Turn] = (), *, scope: Scope = Scope()) -> Iterator[Event]:
        self.order.append(self.name)
        yield from self.inner.stream(question, history, scope=scope)

    def engine(self, load_s: float) -> Engine:
        subject = Subject(self.name, self, COLLECTION, self.name, lambda: self.written)
        return Engine(subject, Ticking(self.written.seconds), load_s)


def compared(second: Honest, written: Written = HALF_A_SECOND) -> tuple[Comparison, list[str]]:
    order: list[str] = []
    engines = [
        Writing(Honest(), order, "slow (transformers)", Written(20, 1.0)).engine(1.0),
        Writing(second, order, "fast (OpenVINO)", written).engine(4.0),
    ]
    return measure(QUESTIONS[:6], engines, load_judge("aligned", None, "cpu")), order  # type: ignore[arg-type]


def test_ratios_say_how_many_times_the_second_is_better() -> None:
    found, _ = compared(Honest())
    ratios = {time.what: (time.values, time.ratio) for time in found.times}
    assert ratios["load"] == ((1.0, 4.0), 0.25)
    assert ratios["writing, median"] == ((1.0, 0.5), 2.0)
    speeds, ratio = ratios["tokens, 5 rows together"]
    assert 0 < speeds[0] < 200
    assert ratio == pytest.approx(speeds[1] / speeds[0])


def test_the_engines_take_turns_in_going_first() -> None:
    _, order = compared(Honest())
    warmed = order[4:]
    assert len(warmed) == 12
    assert {tuple(warmed[place : place + 2]) for place in (0, 4, 8)} == {("fast (OpenVINO)", "slow (transformers)")}
    assert {tuple(warmed[place : place + 2]) for place in (2, 6, 10)} == {("slow (transformers)", "fast (OpenVINO)")}


def test_the_same_answers_differ_in_nothing() -> None:
    found, _ = compared(AnswersEverything())
    assert found.same == 1.0
    assert {figure.metric for figure in found.quality} >= {"facts", "citation_precision", "supported"}
    assert all(figure.values[0] == figure.values[1] for figure in found.quality)


def test_what_one_engine_loses_is_told() -> None:
    found, _ = compared(RefusesEverything())
    facts = next(figure for figure in found.quality if figure.metric == "facts")
    assert facts.difference is not None
    assert (found.same, facts.values[1]) == (0.0, 0.0)
    assert facts.difference.value == pytest.approx(-facts.values[0])


def test_where_nothing_was_written_there_is_nothing_to_time() -> None:
    with pytest.raises(BadInput, match="wrote anything"):
        compared(Honest(), written=Written())


def test_drafts_that_come_whole_are_timed_too() -> None:
    found, _ = compared(Honest(), written=Written(0, 0.25))
    assert {time.what: time.ratio for time in found.times}["writing, median"] == 4.0


def test_the_tables_and_the_json_hold_every_figure() -> None:
    found, _ = compared(Honest())
    screen = Console(file=StringIO(), width=160)
    for table in tables(found):
        screen.print(table)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert all(time.what in shown for time in found.times)
    assert "100% of the answers are the same" in shown
    assert json.loads(json.dumps(found.json()))["generators"] == ["slow (transformers)", "fast (OpenVINO)"]
