"""Who may write and what must stay: one builder to an index, and a reader's hold on its build.

Both kinds are the operating system's locks, so a process that is killed holds nothing. Where the system or the file
system has no shared locks (Windows, some network disks), a reader goes without: an old build may then be taken away
under it, which shows as an IndexDamaged at its next look at the disk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import IndexBusy

if sys.platform == "win32":
    HAS_LOCKS = False
else:
    import fcntl

    HAS_LOCKS = True

READER_LOCK = "lock"
"""The file inside a build that readers lock."""


@contextmanager
def building(root: Path) -> Iterator[None]:
    """Be the one builder of an index. Raises IndexBusy, naming the other's process number."""
    from filelock import FileLock, Timeout

    holder = root / "lock.pid"
    lock = FileLock(root / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise IndexBusy(f"{root} is being built by {_who(holder)}: wait for it to end") from None
    try:
        holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _who(holder: Path) -> str:
    try:
        return f"process {int(holder.read_text(encoding='ascii')[:20])}"
    except (OSError, ValueError):
        return "another process"


class ReaderLock:
    """A reader's hold on a build: while it lasts, no builder removes the folder."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, build: Path) -> ReaderLock | None:
        """Hold a build; None where a builder is removing it, or has."""
        if not HAS_LOCKS:
            return cls(None)
        path = build / READER_LOCK
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:  # no locks on this file system
            os.close(descriptor)
            return cls(None)
        if not path.exists():  # removed between opening and locking
            os.close(descriptor)
            return None
        return cls(descriptor)

    def release(self) -> None:
        """Let go; a second time does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def unread(build: Path) -> Iterator[bool]:
    """Whether no reader holds a build; while the block runs, none can take it."""
    if not HAS_LOCKS:
        yield True
        return
    try:
        descriptor = os.open(build / READER_LOCK, os.O_RDWR | os.O_CREAT)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
