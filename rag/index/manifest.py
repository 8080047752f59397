"""What a build says of itself, and where things lie under the index folder; knows no store and no model.

A sample manifest, shortened:

    {"schema": 2, "build_id": "5f0c…", "content": "5f0c…", "sources": ["/home/me/refs.bib"], "also_in": {},
     "embedder": {"name": "default", "fingerprint": "53aa…", "dimension": 384, "window": 256},
     "settings": {"passages": [3, 2], …}, "calibration": {"caution_below": 0.48, "refuse_below": 0.42},
     "counts": {"papers": 314, …}, "files": {"papers.jsonl": [482114, "9f2b…"], …}, "complete": true}
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rag.errors import IndexDamaged, NoIndex
from rag.index import keywords, passages, vectors
from rag.models.sealing import hash_file
from rag.models.sentence_encoder import shipped_difference

SCHEMA = 2
"""Raised when what lies in a build, or how it was computed (words, sentences), changes its meaning."""

HASHED_ON_OPEN = 64 * 2**20
"""Larger files are compared by size when an index is opened, and by hash only when it is checked in full."""

MANIFEST = "manifest.json"
CURRENT = "CURRENT"
_REMEDY = "run `footnote index` to build it anew"


def settings() -> dict[str, Any]:
    """How passages are cut and searched and what embeds sentences; a build made otherwise is refused."""
    return {
        "passages": [passages.WINDOW, passages.STRIDE],
        "hnsw": vectors.HNSW,
        "bm25": [keywords.K1, keywords.B],
        "sentence_encoder": shipped_difference().sha256[:16],
    }


@dataclass(frozen=True, slots=True)
class EmbedderRecord:
    """The embedder of a build: `window` is its longest input in tokens."""

    name: str
    fingerprint: str
    dimension: int
    window: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a build holds; `entries` counts records as read, before duplicates were merged."""

    entries: int
    papers: int
    sentences: int
    passages: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a build says of itself.

    `content` is a hash of everything that goes into a build: the same content is not built twice. `also_in` names the
    further files of a paper found in several. `files` maps what reading does not change to (size, sha256).
    """

    build_id: str
    content: str
    sources: tuple[str, ...]
    embedder: EmbedderRecord
    counts: Counts
    files: Mapping[str, tuple[int, str]]
    also_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    calibration: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=settings)
    schema: int = SCHEMA

    def write(self, folder: Path) -> None:
        """Write `manifest.json`; its presence with `complete: true` is what makes a folder a build."""
        text = json.dumps(asdict(self) | {"complete": True}, indent=1)
        (folder / MANIFEST).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a build. Raises IndexDamaged where there is none, or none that is complete."""
        try:
            fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            return _manifest(fields)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexDamaged(f"{folder / MANIFEST} is not a complete manifest ({error}): {_REMEDY}") from None


def _manifest(fields: Any) -> Manifest:
    if fields["complete"] is not True:
        raise ValueError("it is not marked complete")
    return Manifest(
        build_id=str(fields["build_id"]),
        content=str(fields["content"]),
        sources=tuple(str(source) for source in fields["sources"]),
        embedder=EmbedderRecord(**fields["embedder"]),
        counts=Counts(**fields["counts"]),
        files={str(name): (int(size), str(digest)) for name, (size, digest) in fields["files"].items()},
        also_in={str(name): tuple(files) for name, files in fields["also_in"].items()},
        calibration={str(name): float(value) for name, value in fields["calibration"].items()},
        settings=dict(fields["settings"]),
        schema=int(fields["schema"]),
    )


def builds(root: Path) -> Path:
    """The folder that holds the builds."""
    return root / "builds"


def live_build(root: Path) -> Path:
    """The folder of the build that `CURRENT` names.

    Raises NoIndex where there is no index, IndexDamaged where the name leads nowhere.
    """
    try:
        name = (root / CURRENT).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise NoIndex(f"no index at {root}: run `footnote index`") from None
    except NotADirectoryError:
        raise NoIndex(f"{root} is a file, not an index folder: name another with --index") from None
    except (OSError, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{root / CURRENT} cannot be read ({error}): {_REMEDY}") from None
    folder = builds(root) / name
    if not re.fullmatch(r"[0-9a-z-]{1,64}", name) or not folder.is_dir():
        raise IndexDamaged(f"{root / CURRENT} names no build: {_REMEDY}")
    return folder


def name_live(root: Path, build_id: str) -> None:
    """Make a build the live one, atomically: a reader sees the old name or the new one."""
    temporary = root / f"{CURRENT}.new"
    temporary.write_text(build_id + "\n", encoding="utf-8")
    sync(temporary)
    temporary.replace(root / CURRENT)
    sync(root)


def hashes(folder: Path, files: Iterable[Path]) -> dict[str, tuple[int, str]]:
    """Size and sha256 of files, by their path inside `folder`."""
    return {path.relative_to(folder).as_posix(): (path.stat().st_size, hash_file(path)) for path in sorted(files)}


def damaged(folder: Path, files: Mapping[str, tuple[int, str]], *, in_full: bool = False) -> list[str]:
    """Which of the manifest's files are missing or changed; large ones are only measured unless `in_full`."""
    return [name for name, expected in files.items() if not _as_expected(folder / name, expected, in_full)]


def _as_expected(path: Path, expected: tuple[int, str], in_full: bool) -> bool:
    size, digest = expected
    try:
        if path.stat().st_size != size:
            return False
        return (size > HASHED_ON_OPEN and not in_full) or hash_file(path) == digest
    except OSError:
        return False


def sync(path: Path) -> None:
    """Have the system write a file or folder to the disk itself."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Sync everything below a folder, then the folder."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)
