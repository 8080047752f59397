"""`footnote index`: bring the index up to date, ask before papers are taken away, report what happened."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.outcome import DONE, FAILURE
from ui.render import plain
from ui.session import Session, UsageError
from ui.terminal import standard_error

if TYPE_CHECKING:
    from rag.index.build import Report

SHOWN = 20


def index(
    session: Session,
    paths: Sequence[Path],
    *,
    remove: Sequence[Path] = (),
    only: bool = False,
    strict: bool = False,
    yes: bool = False,
    as_json: bool = False,
) -> int:
    """Index `paths` beside the remembered sources, or in their place with `only`, without those to `remove`."""
    if only and not paths:
        raise UsageError("--only needs the files or folders that are to stay")
    options: dict[str, Any] = {"remove": tuple(remove), "only": only, "strict": strict}
    if (remove or only) and not yes and not _confirmed(session, paths, options):
        return FAILURE
    with _progress() as progress:
        report = session.doors.update(session.settings, tuple(paths), **options, progress=progress)
    print(json.dumps(asdict(report), default=str, indent=2) if as_json else summary(report))
    return DONE


def summary(report: Report) -> str:
    """The report as lines: counts, what was skipped or merged under another title and why, how long it took."""
    counts = {
        "added": len(report.added),
        "changed": len(report.changed),
        "unchanged": len(report.unchanged),
        "removed": len(report.removed),
        "merged": len(report.merged),
        "skipped": len(report.skipped),
    }
    notes = {"merged": "  duplicates of papers already counted", "skipped": "  records that could not be used"}
    lines = [f"{report.papers:,} papers from {report.entries:,} entries in {_sources(report)}"]
    lines += [f"  {name:<10}{count:>7,}{notes.get(name, '') if count else ''}" for name, count in counts.items()]
    lines += _listed(report.skipped)
    lines += _listed([merge for merge in report.merged if merge.title])
    lines.append(f"{report.embedded:,} texts embedded, {report.seconds:.1f} s, build {report.build_id}")
    return "\n".join(lines)


def _listed(items: Sequence[object]) -> list[str]:
    """The first of the items, one a line, and how many more there are."""
    lines = [f"    {plain(str(item))}" for item in items[:SHOWN]]
    more = len(items) - SHOWN
    return [*lines, f"    … and {more:,} more (--json lists all)"] if more > 0 else lines


def _sources(report: Report) -> str:
    count = len(report.sources)
    return plain(report.sources[0]) if count == 1 else f"{count} sources"


def _confirmed(session: Session, paths: Sequence[Path], options: dict[str, Any]) -> bool:
    """Where papers would go, say how many and ask. Raises UsageError where there is nobody to ask."""
    plan = session.doors.update(session.settings, tuple(paths), **options, dry_run=True)
    if not (count := len(plan.removed)):
        return True
    loss = f"this takes {count:,} {'paper' if count == 1 else 'papers'} out of the index, {plan.papers:,} stay"
    if not sys.stdin.isatty():
        raise UsageError(f"{loss}: add --yes to do it without being asked")
    print(f"footnote: {loss}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    print("footnote: nothing was changed", file=sys.stderr)
    return False


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """A bar with rate and time left on a terminal; elsewhere one line for each thing that is begun."""
    console = standard_error()
    if not console.is_terminal:
        yield _announcer()
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("reading", total=None, rate="")

        def advance(done: int, total: int, what: str) -> None:
            if bars.tasks[0].description != what:
                bars.reset(task, description=what, total=total, rate="")
            speed = bars.tasks[0].speed
            bars.update(task, completed=done, rate=f"{speed:.0f}/s" if speed else "")

        yield advance


def _announcer() -> Callable[[int, int, str], None]:
    begun: set[str] = set()

    def announce(_done: int, total: int, what: str) -> None:
        if what not in begun:
            begun.add(what)
            print(f"footnote: {total:,} {what}", file=sys.stderr)

    return announce
