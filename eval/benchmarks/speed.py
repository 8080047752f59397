"""How long the ordinary things take, beside what they may take: `python -m eval.benchmarks.speed`.

Needs the models (`footnote models pull`). Absolute times drift with the machine: run it on a quiet one, and compare
figures of one run only.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eval.datasets import Question, read_questions, shipped
from rag.assistant import Assistant
from rag.records import Stated
from rag.settings import Settings, load_settings

QUESTIONS: Final = 20
WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside its limit, both in `unit`."""

    what: str
    value: float
    limit: float
    unit: str

    def __str__(self) -> str:
        verdict = "ok" if self.value <= self.limit else "over"
        return f"| {self.what} | {self.value:.2f} {self.unit} | {self.limit:g} {self.unit} | {verdict} |"


def measure(folder: Path) -> Iterator[Row]:
    """Every row, as it is known."""
    index = str(folder / "index")
    yield Row("index of the shipped collection from nothing", _run("index", "--index", index), 120, "s")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    yield Row("its peak memory", peak, 2, "GB")
    yield Row("index again, nothing changed", _run("index", "--index", index), 5, "s")
    yield Row("footnote --help", min(_run("--help") for _ in range(3)), 0.5, "s")
    yield from _answers(load_settings(index=folder / "index"))


def _answers(settings: Settings) -> Iterator[Row]:
    questions = [q for q in read_questions(shipped()) if q.split == "dev" and q.gold_titles and not q.history]
    asked = questions[:: max(1, len(questions) // QUESTIONS)][:QUESTIONS]
    for name, writes, limit in (("quoted", False, 1.0), ("with the generator of the settings", True, 4.0)):
        with Assistant.open(settings, writes=writes) as assistant:
            for question in asked[:WARM_UP]:
                assistant.ask(question.question)
            if not writes:
                searches = [_seconds(lambda q=question: assistant.search(q.question)) for question in asked]  # type: ignore[misc]
                yield Row("search, warm, median", 1000 * statistics.median(searches), 60, "ms")
            firsts = [_first_statement(assistant, question) for question in asked]
        times = [seconds for seconds in firsts if seconds is not None]
        yield Row(f"first statement, {name}, warm, median", statistics.median(times), limit, "s")


def _first_statement(assistant: Assistant, question: Question) -> float | None:
    """Seconds to it; None where the question is refused."""
    started = time.perf_counter()
    for event in assistant.stream(question.question):
        if isinstance(event, Stated):
            return time.perf_counter() - started
    return None


def _run(*arguments: str) -> float:
    return _seconds(
        lambda: subprocess.run([sys.executable, "-m", "ui.cli", *arguments], check=True, capture_output=True)
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> int:
    """Print the table."""
    print("| what | measured | at most | |\n| --- | ---: | ---: | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(Path(folder)):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
