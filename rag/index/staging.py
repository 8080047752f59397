"""A new build's way to its place: staged, described, swapped; and the old ones' way out. Knows files, not papers.

At every moment `CURRENT` names a whole build. What a killed builder leaves behind is staging or trash, both hidden
folders that the next builder sweeps away.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from rag.errors import BadInput, FootnoteError, IndexDamaged
from rag.index import canonical, locks, manifest
from rag.index.content import Content
from rag.index.keywords import KeywordIndex
from rag.index.live import BM25, CHROMA, searched_text
from rag.index.passages import as_passages
from rag.index.vectors import VectorStore, stable_files

_STAGING = ".staging-"
_TRASH = ".trash-"


@contextmanager
def exclusively(root: Path) -> Iterator[None]:
    """As the one builder of the index, in a swept folder. Raises IndexBusy where another is at work."""
    builds = manifest.builds(root)
    builds.mkdir(parents=True, exist_ok=True)
    with locks.building(root):
        for stale in (*builds.glob(f"{_STAGING}*"), *builds.glob(f"{_TRASH}*")):
            shutil.rmtree(stale)
        yield


@contextmanager
def staging(root: Path, build_id: str) -> Iterator[Path]:
    """A folder for the new build, taken away again where the work ends before it has moved to its place.

    Raises FootnoteError where the build turns out damaged while it is made.
    """
    staged = manifest.builds(root) / f"{_STAGING}{build_id}"
    staged.mkdir()
    try:
        yield staged
    except (IndexDamaged, OSError) as error:
        if _nothing_free(root):  # neither Chroma nor numpy says so
            raise _disk_full(root) from error
        if isinstance(error, OSError):
            raise
        raise FootnoteError(f"the new build was dropped and the old one stays as it was: {error}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def write(staged: Path, content: Content) -> None:
    """The canonical files, and from them what is queried."""
    canonical.write_papers(staged, content.papers)
    canonical.write_spans(staged, (piece.spans for piece in content.pieces))
    canonical.write_rows(staged / canonical.SENTENCES, content.sentences)
    canonical.write_rows(staged / canonical.PASSAGES, content.passages)
    (staged / locks.READER_LOCK).touch()
    KeywordIndex.build(searched_text(paper) for paper in content.papers).save(staged / BM25)
    _write_store(staged / CHROMA, content)


def _write_store(folder: Path, content: Content) -> None:
    vectors = np.ascontiguousarray(content.passages["vector"])
    store = VectorStore.create(folder, len(vectors))
    try:
        passages = [p for piece in content.pieces for p in as_passages(piece.paper, piece.spans.passages)]
        store.add(passages, vectors, {paper.paper_id: paper for paper in content.papers})
    finally:
        store.close()


def hashes(staged: Path) -> dict[str, tuple[int, str]]:
    """Size and sha256 of every file that reading does not change."""
    canonical_files = [staged / name for name in canonical.FILES]
    return manifest.hashes(staged, [*canonical_files, *(staged / BM25).iterdir(), *stable_files(staged / CHROMA)])


def free_id(root: Path, content_hash: str) -> str:
    """A name for a build: the beginning of its content's hash, numbered where a build has it already."""
    base, number = content_hash[:12], 1
    build_id = base
    while (manifest.builds(root) / build_id).exists():
        number += 1
        build_id = f"{base}-{number}"
    return build_id


def go_live(root: Path, staged: Path, build_id: str) -> None:
    """Everything to the disk itself, then the folder to its place, then the name into `CURRENT`."""
    manifest.sync_tree(staged)
    staged.rename(manifest.builds(root) / build_id)
    manifest.sync(manifest.builds(root))
    manifest.name_live(root, build_id)


def remove_old(root: Path, live: str) -> None:
    """Remove the builds that no reader holds; one still held is removed by a later builder."""
    for build in sorted(manifest.builds(root).iterdir()):
        if build.name == live or not build.is_dir():
            continue
        with locks.unread(build) as free, suppress(OSError):
            if free:
                trash = build.with_name(_TRASH + build.name)
                build.rename(trash)
                shutil.rmtree(trash)


@contextmanager
def one_line_errors(root: Path) -> Iterator[None]:
    """What the operating system refuses, as what the person can do about it."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(root) from error
        where, why = error.filename or root, error.strerror or error
        raise BadInput(f"{where}: {why}: make it usable or choose another place with --index") from error


def _nothing_free(root: Path) -> bool:
    return shutil.disk_usage(root).free < 2**20


def _disk_full(root: Path) -> FootnoteError:
    return FootnoteError(f"the disk that holds {root} is full: make room and run `footnote index` again")
