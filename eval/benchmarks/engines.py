"""The same answers through transformers and through OpenVINO: `python -m eval.benchmarks.engines [-n N] [--json FILE]`.

One run, each question asked of both in turn, so that whatever else the machine does meets both alike. Needs the extra
`openvino`, an index and the models. Absolute times drift with the machine: compare figures of one run only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eval.datasets import Question, read_questions, shipped
from eval.figures import ALL, compare, summarise
from eval.judge import Judge, load_judge
from eval.metrics import Difference
from eval.results import Result
from eval.runner import Asking, Trial, ask, choose
from eval.scoring import score_trials
from eval.subjects import MeteredGenerator, Subject
from rag.errors import BadInput, FootnoteError
from rag.models import Generator, Limits, Message
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.table import Table

ENGINES: Final = ("transformers", "openvino")
"""What is compared, the one that the other is held against first."""

QUALITY: Final = (
    "facts", "words", "worded", "quoted", "withheld", "citation_precision", "citation_recall", "supported",
    "supported_written", "errors",
)  # fmt: skip

WARM_UP: Final = 2
ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine, opened: `load_s` is how long that took, converting excluded."""

    subject: Subject
    generator: Generator
    load_s: float


@dataclass(frozen=True, slots=True)
class Time:
    """One time or speed of both engines, in the order of `ENGINES`; `ratio` is how many times the second is better."""

    what: str
    unit: str
    values: tuple[float, float]
    ratio: float


@dataclass(frozen=True, slots=True)
class Quality:
    """One quality figure of both engines, in the order of `ENGINES`, and the paired difference."""

    metric: str
    values: tuple[float, float]
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one run found; `same` is the share of answers that are the same to the letter."""

    generators: tuple[str, str]
    questions: int
    same: float
    times: tuple[Time, ...]
    quality: tuple[Quality, ...]

    def json(self) -> dict[str, Any]:
        """This comparison as a JSON object."""
        return asdict(self)


@contextmanager
def opened(settings: Settings) -> Iterator[list[Engine]]:
    """An assistant on each engine, over one index and embedder. Raises BadInput where OpenVINO cannot be used."""
    from rag.assistant import Assistant
    from rag.index.live import open_index
    from rag.models.choosing import open_generator
    from rag.models.embedder import load_embedder
    from rag.models.weights import find_embedder

    weights = find_embedder(settings.embedder, settings.cache)
    with open_index(settings.index, weights.name, weights.fingerprint) as index:
        embedder = load_embedder(weights, "cpu")
        engines = []
        for name in ENGINES:
            open_generator(settings.generator, settings.cache, "cpu", name)  # converts what was not, once
            started = time.perf_counter()
            generator = open_generator(settings.generator, settings.cache, "cpu", name)
            took = time.perf_counter() - started
            if name == "openvino" and "OpenVINO" not in generator.name:
                raise BadInput(f"there is nothing to compare: {getattr(generator, 'note', generator.name)}")
            metered = MeteredGenerator(generator)
            assistant = Assistant(index, embedder, metered, settings)
            subject = Subject(generator.name, assistant, index.papers, name, metered.take)
            engines.append(Engine(subject, generator, took))
        yield engines


def measure(questions: Sequence[Question], engines: Sequence[Engine], judge: Judge) -> Comparison:
    """Ask every question of both engines in turn, each time another one first, and compare what came of it."""
    subjects = [engine.subject for engine in engines]
    for question in questions[:WARM_UP]:
        for subject in subjects:
            ask(Asking(question, subject))
    asked: dict[str, list[Trial]] = {subject.name: [] for subject in subjects}
    for number, question in enumerate(questions):
        for subject in subjects if number % 2 else reversed(subjects):
            asked[subject.name].append(Trial(question, ask(Asking(question, subject))))
    first, second = (asked[subject.name] for subject in subjects)
    same = [one.asked.statements == other.asked.statements for one, other in zip(first, second, strict=True)]
    return Comparison(
        generators=(subjects[0].name, subjects[1].name),
        questions=len(questions),
        same=statistics.mean(same),
        times=_times(engines, first, second),
        quality=_quality(subjects, first, second, judge),
    )


def _times(engines: Sequence[Engine], first: Sequence[Trial], second: Sequence[Trial]) -> tuple[Time, ...]:
    """Loading, and what the questions took over which both were at work: refusals are as fast with either.

    Seconds tell, pieces do not: drafts that wait for a verdict on their certainty come whole and are not counted.
    """
    pairs = [
        (one.asked, other.asked)
        for one, other in zip(first, second, strict=True)
        if one.asked.writing_s and other.asked.writing_s
    ]
    if not pairs:
        raise BadInput("neither engine wrote anything for these questions: take more of them")
    sides: list[list[Result]] = [list(side) for side in zip(*pairs, strict=True)]
    firsts, totals, writing = (
        [statistics.median(getattr(result, name) or 0.0 for result in side) for side in sides]
        for name in ("first_statement_s", "total_s", "writing_s")
    )
    speeds = [statistics.median(runs) for runs in zip(*(map(_speed, engines) for _ in range(3)), strict=True)]
    return (
        _time("load", "s", [engine.load_s for engine in engines]),
        _time("first statement, median", "s", firsts),
        _time("whole answer, median", "s", totals),
        _time("writing, median", "s", writing),
        _time(f"tokens, {ROWS} rows together", "/s", speeds),
    )


def _speed(engine: Engine) -> float:
    """Tokens a second once the prompts are read. Answers do not tell: their drafts may come in one piece."""
    papers = list(engine.subject.papers.values())[:ROWS]
    prompts = [[Message("user", f"Say in other words: {paper.abstract}")] for paper in papers]
    times = [
        time.perf_counter()
        for _, piece in engine.generator.stream_batch(prompts, Limits(max_new_tokens=40, seconds=300))
        if piece is not None
    ]
    return (len(times) - 1) / max(times[-1] - times[0], 1e-9) if len(times) > 1 else 0.0


def _time(what: str, unit: str, values: Sequence[float]) -> Time:
    before, after = values
    return Time(what, unit, (before, after), _ratio(after, before) if unit == "/s" else _ratio(before, after))


def _ratio(value: float, base: float) -> float:
    return value / max(base, 1e-9)


def _quality(
    subjects: Sequence[Subject], first: Sequence[Trial], second: Sequence[Trial], judge: Judge
) -> tuple[Quality, ...]:
    before, after = (
        [each.score for each in score_trials(trials, subject.papers, judge)]
        for subject, trials in zip(subjects, (first, second), strict=True)
    )
    figures, differences = (summarise(before), summarise(after)), compare(before, after)
    return tuple(
        Quality(name, (figures[0][name][ALL].value, figures[1][name][ALL].value), differences.get(name))
        for name in QUALITY
        if all(ALL in side.get(name, {}) for side in figures)
    )


def tables(found: Comparison) -> tuple[Table, Table]:
    """Times and quality, for a terminal."""
    from rich.table import Table

    times = Table("", *found.generators, "times as fast", title=f"{found.questions} questions")
    for row in found.times:
        times.add_row(row.what, *(f"{value:.2f} {row.unit}" for value in row.values), f"{row.ratio:.2f}")
    title = f"{found.same:.0%} of the answers are the same to the letter"
    quality = Table("", *found.generators, "difference (95%)", title=title)
    for figure in found.quality:
        quality.add_row(figure.metric, *(f"{value:.3f}" for value in figure.values), _told(figure.difference))
    return times, quality


def _told(difference: Difference | None) -> str:
    return "" if difference is None else f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"


def main(arguments: Sequence[str]) -> int:
    """Print the tables; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m eval.benchmarks.engines", description=__doc__)
    parser.add_argument("-n", "--limit", type=int, default=30, help="how many questions (30)")
    parser.add_argument("--split", default="all", choices=["dev", "test", "all"])
    parser.add_argument("--generator", help="a model in place of the one in the settings")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    try:
        settings = load_settings(generator=given.generator)
        answerable = [question for question in read_questions(shipped()) if question.gold_titles]
        questions = choose(answerable, split=given.split, limit=given.limit)
        with opened(settings) as engines:
            found = measure(questions, engines, load_judge("aligned", settings.cache, "cpu"))
    except FootnoteError as error:
        print(error, file=sys.stderr)
        return 1
    _show(found, given.json)
    return 0


def _show(found: Comparison, path: Path | None) -> None:
    from rich.console import Console

    for table in tables(found):
        Console().print(table)
    if path is not None:
        path.write_text(json.dumps(found.json(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
