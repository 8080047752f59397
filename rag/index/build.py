"""Papers -> a new build: staged beside the live one, verified in another process, synced, then named the live one.

Reads as its steps in `update`. Where nothing at all changed no build is made and no model is loaded. Whatever ends the
work early (an error, Ctrl-C, kill -9), the live build answers on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rag.errors import BadInput, IndexDamaged, NoIndex
from rag.index import canonical, locks, manifest, staging, verify
from rag.index.content import Content, LazyEmbedder, Progress, pieces, prepare
from rag.index.live import LiveIndex
from rag.index.manifest import Counts, Manifest
from rag.index.sources import Gathered, Known, choose, gather
from rag.papers import Merge, Problem
from rag.records import Paper

__all__ = ["Calibrate", "LazyEmbedder", "Progress", "Report", "update"]

Calibrate = Callable[[LiveIndex], Mapping[str, float]]
"""Finds out on a staged build what 'enough evidence' means there; the manifest keeps what it returns."""

_FORGOTTEN = "naming its files or folders, which are not known any more"


@dataclass(frozen=True)
class Report:
    """What an update did, or with `dry_run` would do.

    `entries` counts records as read, `embedded` the texts (sentences and passages) that had to be embedded. `added`,
    `changed`, `unchanged` and `removed` hold `paper_id`s; a paper is changed when any of its fields but `source` is.
    `build_id` names the build that is live afterwards.
    """

    sources: tuple[str, ...]
    entries: int
    papers: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    merged: tuple[Merge, ...]
    skipped: tuple[Problem, ...]
    embedded: int = 0
    seconds: float = 0.0
    build_id: str = ""


@dataclass(frozen=True)
class _Previous:
    """What can be used of the live build; what is damaged there counts as not known."""

    folder: Path = Path()
    manifest: Manifest | None = None
    damaged: frozenset[str] = frozenset()
    papers: tuple[Paper, ...] = ()
    content: Content | None = None

    @property
    def known(self) -> Known:
        if self.manifest is None:
            return Known()
        return Known(self.manifest.sources, self.papers, self.manifest.also_in)


def update(
    root: Path,
    paths: Sequence[Path],
    embedder: LazyEmbedder,
    *,
    remove: Sequence[Path] = (),
    only: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    calibrate: Calibrate | None = None,
    progress: Progress | None = None,
    check: Callable[[Path], None] = verify.in_another_process,
) -> Report:
    """Bring the index under `root` up to date with its sources: those remembered, `paths`, less `remove`.

    With `only`, `paths` are the only sources from now on; with `dry_run` nothing is written. Without any source the
    shipped collection is indexed. Raises BadInput for sources or a place that cannot be used, StrictProblem where
    `strict` and a record was skipped, IndexBusy where another process builds, FootnoteError where the new build could
    not be finished; in each case the live build stays as it was.
    """
    started = time.perf_counter()
    with staging.one_line_errors(root), nullcontext() if dry_run else staging.exclusively(root):
        previous = _previous(root, can_forget=bool(paths))
        sources = choose(previous.known.sources, paths, remove, only=only)
        gathered = gather(sources, previous.known, strict=strict)
        if not gathered.papers:
            raise BadInput(f"no papers in {', '.join(sources)}: nothing was indexed{_why(gathered.problems)}")
        report = _compared(sources, previous, gathered)
        content_hash = _content_hash(sources, gathered, embedder.fingerprint)
        if not dry_run and not _is_live(content_hash, previous, calibrate, check):
            content, embedded = prepare(gathered.papers, _usable(previous, embedder), embedder, progress)
            draft = _draft(staging.free_id(root, content_hash), content_hash, report, gathered, content)
            _build(root, draft, content, calibrate, check)
            report = replace(report, embedded=embedded, build_id=draft.build_id)
    return replace(report, seconds=time.perf_counter() - started)


def _build(
    root: Path,
    draft: Manifest,
    content: Content,
    calibrate: Calibrate | None,
    check: Callable[[Path], None],
) -> None:
    """Stage, verify, calibrate, describe, swap."""
    with staging.staging(root, draft.build_id) as staged:
        staging.write(staged, content)
        check(staged)
        described = replace(draft, files=staging.hashes(staged))
        if calibrate is not None:
            with LiveIndex(staged, described) as index:
                described = replace(described, calibration=dict(calibrate(index)))
        described.write(staged)
        staging.go_live(root, staged, draft.build_id)
    staging.remove_old(root, draft.build_id)


def _previous(root: Path, *, can_forget: bool) -> _Previous:
    """The live build, as far as it is sound.

    Where its manifest cannot be read, or no name leads to it, the sources are forgotten: that is refused unless others
    are given.
    """
    try:
        folder = manifest.live_build(root)
        described = Manifest.read(folder)
    except IndexDamaged as error:
        if can_forget:
            return _Previous()
        raise IndexDamaged(f"{error}, {_FORGOTTEN}") from None
    except NoIndex:
        if can_forget or not any(manifest.builds(root).glob("[!.]*/")):
            return _Previous()
        current = root / manifest.CURRENT
        raise IndexDamaged(f"{current} is gone: run `footnote index` to build it anew, {_FORGOTTEN}") from None
    damaged = frozenset(manifest.damaged(folder, described.files, in_full=True))
    try:
        papers = () if canonical.PAPERS in damaged else canonical.read_papers(folder)
        content = None if damaged & set(canonical.FILES) else _content(folder, described, papers)
    except (ValueError, KeyError, TypeError):  # a later release wrote it: whole, and not to be read by this one
        return _Previous(folder, described, frozenset(canonical.FILES))
    return _Previous(folder, described, damaged, papers, content)


def _why(problems: Sequence[Problem]) -> str:
    more = f", and {len(problems) - 1:,} more" if len(problems) > 1 else ""
    return f" ({problems[0]}{more})" if problems else ""


def _content(folder: Path, described: Manifest, papers: Sequence[Paper]) -> Content:
    sentences = canonical.read_rows(folder / canonical.SENTENCES)
    passages = canonical.read_rows(folder / canonical.PASSAGES)
    return Content(described.embedder, pieces(papers, canonical.read_spans(folder), sentences, passages))


def _usable(previous: _Previous, embedder: LazyEmbedder) -> Content | None:
    """The live build's content if it was made as it would be now."""
    described = previous.manifest
    if described is None or described.embedder.fingerprint != embedder.fingerprint:
        return None
    same_making = (described.schema, dict(described.settings)) == (manifest.SCHEMA, manifest.settings())
    return previous.content if same_making else None


def _compared(sources: tuple[str, ...], previous: _Previous, gathered: Gathered) -> Report:
    """What changes from the live build to the one that is wanted."""
    before = {paper.paper_id: replace(paper, source="") for paper in previous.papers}
    now = {paper.paper_id: replace(paper, source="") for paper in gathered.papers}
    return Report(
        sources=sources,
        entries=gathered.entries,
        papers=len(now),
        added=tuple(name for name in now if name not in before),
        changed=tuple(name for name, paper in now.items() if name in before and before[name] != paper),
        unchanged=tuple(name for name, paper in now.items() if before.get(name) == paper),
        removed=tuple(name for name in before if name not in now),
        merged=gathered.merged,
        skipped=gathered.problems,
        build_id=previous.manifest.build_id if previous.manifest else "",
    )


def _content_hash(sources: Sequence[str], gathered: Gathered, fingerprint: str) -> str:
    """A hash of everything that a build is made from."""
    making = [manifest.SCHEMA, manifest.settings(), fingerprint]
    papers = [asdict(paper) for paper in gathered.papers]
    parts = [making, list(sources), gathered.also_in, gathered.entries, papers]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _is_live(
    content_hash: str, previous: _Previous, calibrate: Calibrate | None, check: Callable[[Path], None]
) -> bool:
    """Whether the live build is made from just this, and sound: indexing again is also how one is repaired."""
    described = previous.manifest
    if described is None or described.content != content_hash or previous.damaged:
        return False
    if not (previous.folder / locks.READER_LOCK).exists():
        return False
    if calibrate is not None and not described.calibration:
        return False
    try:
        check(previous.folder)
    except IndexDamaged:
        return False
    return True


def _draft(build_id: str, content_hash: str, report: Report, gathered: Gathered, content: Content) -> Manifest:
    """The manifest, as far as it is known before anything is written."""
    counts = Counts(
        entries=gathered.entries,
        papers=len(content.pieces),
        sentences=sum(len(piece.sentences) for piece in content.pieces),
        passages=sum(len(piece.passages) for piece in content.pieces),
    )
    return Manifest(
        build_id=build_id,
        content=content_hash,
        sources=report.sources,
        embedder=content.embedder,
        counts=counts,
        files={},
        also_in=gathered.also_in,
    )
