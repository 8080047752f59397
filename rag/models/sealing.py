"""Folders of model files that are made here: staged, sealed with the hash of every file, held while they are read.

A folder appears under its name whole or not at all, and goes when something newer takes its place and no process holds
it. Holds are the operating system's shared locks on the seal, so a process that is killed holds nothing; where there
are none (Windows, some network disks) nothing is removed. Knows nothing of what is in the files.

    <folder>/manifest.json      the seal: {..., "files": {"model.safetensors": "<sha256>", ...}}
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Final

from rag.errors import ModelDamaged

if sys.platform != "win32":
    import fcntl

MANIFEST: Final = "manifest.json"

MODEL: Final = (".safetensors", ".json", ".txt", ".model", ".jinja")
"""How the files end that decide what a model of transformers computes."""


@contextlib.contextmanager
def stage(models: Path, lock: str, prefix: str, waiting: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """A folder inside `models` to work in, for one process at a time; what a killed one left is taken away.

    `lock` and `prefix` name what the processes share that make the same. `waiting` is called where another is at work.
    """
    from filelock import FileLock, Timeout

    models.mkdir(parents=True, exist_ok=True)
    turn = FileLock(models / lock)
    try:
        mine = turn.acquire(timeout=0)
    except Timeout:
        waiting()
        mine = turn.acquire()
    with mine:
        for leftover in models.glob(f"{prefix}*/"):
            shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=models, ignore_cleanup_errors=True) as staging:
            yield Path(staging)


def seal(made: Path, home: Path, kinds: tuple[str, ...] = MODEL, **about: object) -> None:
    """Write down what the staged files are, see that all of it is on the disk, and put the folder in its place.

    What it replaces goes with the staging folder. `about` says what the files were made of.
    """
    manifest = {**about, "files": hash_files(made, kinds=kinds)}
    (made / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    permissions = (made / MANIFEST).stat().st_mode & 0o777  # what this person's new files get; safetensors gives less
    for file in made.iterdir():
        file.chmod(permissions)
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())
    if home.exists():
        home.rename(made.with_name("replaced"))
    made.rename(home)


def is_sealed(folder: Path, kinds: tuple[str, ...] = MODEL, **about: object) -> bool:
    """Whether the folder holds what was made of this, to the byte."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest == {**about, "files": hash_files(folder, kinds=kinds)})
    except (OSError, ValueError, RecursionError):
        return False


def sealed_files(folder: Path) -> dict[str, str]:
    """The hashes that were written down. Raises ModelDamaged."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ModelDamaged(
            f"{folder / MANIFEST} is missing or damaged: run `footnote models pull` to mend it"
        ) from None


def hold(folder: Path) -> None:
    """Keep a sealed folder from being retired for as long as this process runs: models may read on after loading."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # nothing sealed is there
            _lock(folder / MANIFEST, (folder / MANIFEST).stat().st_ino)


@functools.cache
def _lock(manifest: Path, _inode: int) -> IO[bytes]:
    """Open and shared until the process ends, once for each file that has lain there."""
    stream = manifest.open("rb")
    with contextlib.suppress(OSError):  # no locks on this file system, where nothing is retired either
        fcntl.flock(stream, fcntl.LOCK_SH)
    return stream


def retire(folders: Iterable[Path], staging: Path) -> None:
    """Move the folders that no process holds into the staging folder, to go with that; in doubt they stay."""
    if sys.platform == "win32":
        return
    for folder in folders:
        with contextlib.suppress(OSError), (folder / MANIFEST).open("rb+") as manifest:
            fcntl.flock(manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder.rename(staging / folder.name)


def hash_files(folder: Path, memory: dict[str, str] | None = None, kinds: tuple[str, ...] = MODEL) -> dict[str, str]:
    """sha256 of each file that decides what the model in `folder` computes, by relative name, sorted.

    `memory` maps path, size and time of a file to its hash, and is added to.
    """
    memory = {} if memory is None else memory
    hashes = {}
    for file in decisive_files(folder, kinds):
        stat = file.stat()
        key = f"{file} {stat.st_size} {stat.st_mtime_ns}"
        memory[key] = memory.get(key) or hash_file(file)
        hashes[file.relative_to(folder).as_posix()] = memory[key]
    return hashes


def decisive_files(folder: Path, kinds: tuple[str, ...] = MODEL) -> Iterator[Path]:
    """Files of the folder and of its direct children, where sentence-transformers keeps a model's modules."""
    for file in sorted((*folder.glob("*"), *folder.glob("*/*"))):
        if file.suffix in kinds and file.name != MANIFEST and file.is_file():
            yield file


def hash_file(file: Path) -> str:
    """The file's sha256, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fingerprint(hashes: Mapping[str, str]) -> str:
    """One sha256 over the names and hashes of a model's files."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
