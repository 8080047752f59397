"""`footnote eval` and `footnote eval-retrieval`: how good the answers are, and the ranking they rest on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ui.outcome import DONE, UNDER_THRESHOLD
from ui.render import plain
from ui.session import Session, UsageError
from ui.terminal import standard_error, standard_output, tell, waiting

if TYPE_CHECKING:
    from rich.console import RenderableType

    from eval.datasets import Question
    from eval.figures import Threshold
    from eval.judge import Judge
    from eval.report import Baseline, Evaluation
    from eval.results import ResultStore
    from eval.scoring import Scored
    from eval.subjects import Subject


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    questions: Path | None = None
    generators: Sequence[str] = ()
    judge: str = "aligned"
    types: Sequence[str] = ()
    split: str = "all"
    limit: int | None = None
    jobs: int = 1
    hidden: bool = True
    fresh: bool = False
    json: Path | None = None
    html: Path | None = None
    baseline: Path | None = None
    fail_under: Sequence[str] = ()


@dataclass(frozen=True)
class _Prepared:
    """All that can be wrong before a model is loaded, found right."""

    path: Path
    questions: Sequence[Question]
    thresholds: Sequence[Threshold]
    baseline: Baseline | None


def evaluate(session: Session, wanted: Wanted) -> int:
    """Ask, score, report; 5 where a figure is worse than it has to be."""
    prepared = _prepare(session, wanted)
    evaluation = _evaluated(session, wanted, prepared)
    _show(evaluation)
    _write(evaluation, wanted)
    return _held(evaluation, prepared.thresholds)


def _prepare(session: Session, wanted: Wanted) -> _Prepared:
    from eval.datasets import read_questions, shipped
    from eval.figures import read_threshold
    from eval.report import read_baseline
    from eval.runner import choose

    _need("ir_measures", *(["matplotlib"] if wanted.html else []))
    _writable(wanted.json, wanted.html)
    thresholds = [read_threshold(text) for text in wanted.fail_under]
    baseline = read_baseline(wanted.baseline) if wanted.baseline else None
    path = wanted.questions or shipped()
    read_questions(path)  # so that a file that is no question file is told of where there is no index yet
    with session.doors.records(session.settings) as index:
        questions = read_questions(path, titles=[paper.title for paper in index.papers.values()])
    chosen = choose(questions, types=wanted.types, split=wanted.split, limit=wanted.limit)
    return _Prepared(path, chosen, thresholds, baseline)


def _writable(*files: Path | None) -> None:
    """Found out before the run, not after it."""
    for file in filter(None, files):
        if file.is_dir() or not file.absolute().parent.is_dir():
            raise UsageError(f"{file} cannot be written: name a file in a folder that is there")


def _evaluated(session: Session, wanted: Wanted, prepared: _Prepared) -> Evaluation:
    from eval.judge import load_judge
    from eval.report import evaluate
    from eval.results import ResultStore

    settings = session.settings
    with ExitStack() as opened:
        with waiting("Loading the models"):
            judge = load_judge(wanted.judge, settings.cache, settings.device)
            opening = session.doors.subjects(settings, wanted.generators or [settings.generator], session.note)
            subjects = opened.enter_context(opening)
        store = ResultStore(settings.cache / "eval", fresh=wanted.fresh)
        scored = {each.name: _scored(each, subjects[0], judge, store, wanted, prepared) for each in subjects}
        about = _about(wanted, prepared, judge, subjects[0])
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return evaluate(scored, subjects[0].papers, about, now, prepared.baseline)


def _scored(
    subject: Subject, quoting: Subject, judge: Judge, store: ResultStore, wanted: Wanted, prepared: _Prepared
) -> tuple[Scored, ...]:
    from eval.runner import run
    from eval.scoring import score_trials

    hidden = quoting if wanted.hidden else None
    with progress(subject.name) as heard:
        trials = run(prepared.questions, subject, store, quoting=hidden, jobs=wanted.jobs, progress=heard)
    with waiting(f"Judging {subject.name}"):
        return score_trials(trials, subject.papers, judge)


def _about(wanted: Wanted, prepared: _Prepared, judge: Judge, quoting: Subject) -> dict[str, str]:
    """What was run on what, in words."""
    from importlib.metadata import version

    digest = hashlib.sha256(prepared.path.read_bytes()).hexdigest()
    parts = [f"{len(prepared.questions)} of {prepared.path.name}", f"split {wanted.split}"]
    parts += [f"types {', '.join(wanted.types)}"] if wanted.types else []
    return {
        "questions": ", ".join([*parts, f"sha256 {digest[:12]}"]),
        "collection": f"{len(quoting.papers):,} papers",
        "judge": judge.name,
        "jobs": str(wanted.jobs),
        "footnote": version("footnote"),
    }


def _show(evaluation: Evaluation) -> None:
    from eval.report import table

    console = standard_output()
    for name, value in evaluation.about.items():
        console.print(f"{name:<12}{plain(value)}", soft_wrap=True)
    console.print()
    _print_whole(table(evaluation))
    console.print("\n95% bootstrap intervals over the questions; * differs at p < .05", style="dim")
    _note_errors(evaluation)


def _print_whole(table: RenderableType) -> None:
    """Print a table as wide as it is: cells that are folded at the window's edge cannot be read across."""
    from rich.measure import Measurement

    console = standard_output()
    widest = Measurement.get(console, console.options.update(max_width=1000), table).maximum
    console.width = max(widest, console.width)
    console.print(table)


def _note_errors(evaluation: Evaluation) -> None:
    for subject in evaluation.subjects:
        failed = [each for each in subject.scored if each.score.shares["errors"].part]
        for each in failed[:10]:
            error = each.trial.asked.error or (each.trial.hidden.error if each.trial.hidden else "")
            tell(f"{subject.name} failed on {each.trial.question.id}: {error}")
        if len(failed) > 10:
            tell(f"{subject.name} failed on {len(failed) - 10} more questions")


def _write(evaluation: Evaluation, wanted: Wanted) -> None:
    if wanted.json is not None:
        from eval.report import evaluation_json

        text = json.dumps(evaluation_json(evaluation), ensure_ascii=False, indent=1)
        wanted.json.write_text(f"{text}\n", encoding="utf-8")
    if wanted.html is not None:
        from eval.page import page

        wanted.html.write_text(page(evaluation), encoding="utf-8")


def _held(evaluation: Evaluation, thresholds: Sequence[Threshold]) -> int:
    """Whether every subject that writes, or quotations where none does, is as good as it has to be."""
    from eval.subjects import QUOTES_ONLY

    writing = [each for each in evaluation.subjects if each.name != QUOTES_ONLY] or evaluation.subjects
    broken = [
        f"{subject.name}: {line}"
        for subject in writing
        for threshold in thresholds
        if (line := threshold.broken(subject.figures))
    ]
    for line in broken:
        tell(line)
    return UNDER_THRESHOLD if broken else DONE


def evaluate_retrieval(session: Session, folder: Path, *, split: str, as_json: bool) -> int:
    """Rank a BEIR folder's queries stage by stage and print how good each stage is."""
    from eval import retrieval
    from eval.datasets import read_beir

    _need("ir_measures")
    beir = read_beir(folder, split)
    settings = session.settings
    with progress("embedding") as heard, session.doors.corpus(beir.corpus, settings, heard) as (index, embedder):
        options = {"passages_searched": settings.passages_searched, "rrf_k": settings.rrf_k}
        rankings = retrieval.rank(index, embedder, beir.queries, **options, progress=heard)
    measured = retrieval.quality(rankings, beir.qrels)
    if as_json:
        print(json.dumps(retrieval.quality_json(measured, beir, folder, split), indent=1))
        return DONE
    print(f"{folder.name}, split {split}: {len(beir.queries):,} queries, {len(beir.corpus):,} papers\n")
    _print_whole(retrieval.quality_table(measured))
    print("\n" + "\n".join(retrieval.gain_lines(measured)))
    return DONE


def _need(*packages: str) -> None:
    from rag.errors import BadInput

    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise BadInput(f"evaluating needs {' and '.join(missing)}: run `python -m pip install 'footnote[eval]'`")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time left on a terminal's standard error; elsewhere a line now and then."""
    console = standard_error()
    if not console.is_terminal:
        yield _announcer(what)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(what, total=None)

        def advance(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield advance


def _announcer(what: str) -> Callable[[int, int], None]:
    """Tells every tenth of the way."""
    told: set[int] = set()

    def announce(done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth not in told:
            told.add(tenth)
            tell(f"{what}: {done:,} of {total:,}")

    return announce
