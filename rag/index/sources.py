"""Which files and folders make up the collection, and the papers they hold now.

A source once given is remembered until it is removed. One that cannot be read takes nothing away: the papers that came
from it stay as they were.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import BadInput, StrictProblem
from rag.index.identity import carry_over
from rag.papers import Merge, Problem, Reading, bundled, read_papers
from rag.records import Paper

BUNDLED = "bundled"
"""The name of the shipped collection, whose folder moves when the package is installed anew; can be given like a
path."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The papers of all sources, in the sources' order; `also_in` names the further files of a paper."""

    papers: tuple[Paper, ...]
    also_in: Mapping[str, tuple[str, ...]]
    entries: int
    merged: tuple[Merge, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the live build knows: its sources, papers and further files; all empty before the first build."""

    sources: tuple[str, ...] = ()
    papers: tuple[Paper, ...] = ()
    also_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def files(self, paper: Paper) -> tuple[str, ...]:
        """Every file a paper was read from."""
        return (paper.source, *self.also_in.get(paper.paper_id, ()))


def choose(
    remembered: Sequence[str], paths: Sequence[Path], remove: Sequence[Path] = (), *, only: bool = False
) -> tuple[str, ...]:
    """The sources from now on: those remembered and those given, less those removed; the shipped collection if none.

    Raises BadInput for a given path that does not exist, and for a removed one that is not a source.
    """
    if only and not paths:
        raise BadInput("--only needs the files or folders to keep")
    given = [_name(path) for path in paths]
    missing = [name for name in given if not _path(name).exists()]
    if missing:
        raise BadInput(f"{missing[0]}: no such file or folder")
    removed = [_name(path) for path in remove]
    unknown = [name for name in removed if name not in remembered]
    if unknown:
        raise BadInput(f"{unknown[0]} is not a source; the sources are: {', '.join(remembered) or 'none'}")
    chosen = dict.fromkeys([*([] if only else remembered), *given])
    left = tuple(name for name in chosen if name not in removed)
    if removed and not left:
        raise BadInput("that would leave no papers at all: name other sources first")
    return left or (BUNDLED,)


def gather(sources: Sequence[str], known: Known, *, strict: bool = False) -> Gathered:
    """Read the sources, give each paper the id it had before, and keep the papers of what cannot be read.

    Raises StrictProblem at the first problem where `strict`.
    """
    gone = [_path(name) for name in sources if not _path(name).exists()]
    if strict and gone:
        raise StrictProblem(f"{gone[0]}: no such file or folder")
    reading = read_papers([_path(name) for name in sources if _path(name) not in gone], strict=strict)
    unreadable = [*gone, *reading.unreadable]
    papers = carry_over(known.papers, reading.papers)
    everything = [*papers, *_kept(known, papers, unreadable)]
    files = _files(reading, papers, known, unreadable)
    problems = [Problem(path, None, "cannot be found: its papers are kept") for path in gone]
    return Gathered(
        papers=_in_order(everything, files, sources),
        also_in={p.paper_id: rest for p in everything if (rest := _without(files[p.paper_id], p.source))},
        entries=reading.entries + len(everything) - len(papers),
        merged=reading.merged,
        problems=(*problems, *reading.problems),
    )


def _kept(known: Known, papers: Sequence[Paper], unreadable: Sequence[Path]) -> tuple[Paper, ...]:
    """The papers known from files that cannot be read now and not found elsewhere."""
    found = {paper.paper_id for paper in papers}
    return tuple(
        paper
        for paper in known.papers
        if paper.paper_id not in found and any(_within_any(name, unreadable) for name in known.files(paper))
    )


def _files(
    reading: Reading, papers: Sequence[Paper], known: Known, unreadable: Sequence[Path]
) -> dict[str, tuple[str, ...]]:
    """Every file that holds a paper, by its id; one that cannot be read still holds what it held."""
    ids = {read.paper_id: now.paper_id for read, now in zip(reading.papers, papers, strict=True)}
    files: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for paper in papers:
        files[paper.paper_id][paper.source] = None
    for merge in reading.merged:
        files[ids[merge.kept]][str(merge.path)] = None
    for paper in known.papers:
        files[paper.paper_id] |= {name: None for name in known.files(paper) if _within_any(name, unreadable)}
    return {paper_id: tuple(names) for paper_id, names in files.items()}


def _without(files: Sequence[str], source: str) -> tuple[str, ...]:
    return tuple(file for file in files if file != source)


def _in_order(papers: Sequence[Paper], files: Mapping[str, Sequence[str]], sources: Sequence[str]) -> tuple[Paper, ...]:
    """The papers in the order of their sources, so that those of an unreadable one stay in their place."""
    roots = [_path(name) for name in sources]

    def place(paper: Paper) -> int:
        return next(n for n, root in enumerate(roots) if any(_within(f, root) for f in files[paper.paper_id]))

    return tuple(sorted(papers, key=place))


def _within_any(name: str, roots: Sequence[Path]) -> bool:
    return any(_within(name, root) for root in roots)


def _within(name: str, root: Path) -> bool:
    return Path(name).is_relative_to(root)


def _name(path: Path) -> str:
    # Path's own methods raise RuntimeError where "~" names nobody and where links lead in a circle.
    resolved = Path(os.path.realpath(os.path.expanduser(path)))  # noqa: PTH111
    by_name = str(path) == BUNDLED and not resolved.exists()
    return BUNDLED if by_name or resolved == bundled().resolve() else str(resolved)


def _path(name: str) -> Path:
    return bundled().resolve() if name == BUNDLED else Path(name)
