"""From paths to the text of files: which files a folder holds, and how their bytes are decoded.

Knows nothing of what the text means.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag.errors import BadInput

MAX_BYTES: Final = 200_000_000
"""A million abstracts; what is larger would not fit into memory several times over."""


class Unreadable(BadInput):
    """A file that cannot be read; the message is the reason, and becomes a problem of its own."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read; `named` where the person named it, and it did not turn up in a folder."""

    path: Path
    named: bool


def find(paths: Sequence[Path], unlisted: list[Path]) -> list[Found]:
    """The files that `paths` name, folders searched in sorted order, each file once.

    Hidden files and folders are passed over. Folders that cannot be listed are added to `unlisted`. Raises BadInput
    for a path that does not exist or is neither file nor folder.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        if path.is_dir():
            files = [Found(file, named=False) for file in _walk(path, set(), unlisted)]
        elif path.is_file():
            files = [Found(path, named=True)]
        else:
            raise BadInput(f"{path}: {'not a file or folder' if path.exists() else 'no such file or folder'}")
        for file in files:
            found.setdefault(file.path.resolve(), file)
    return list(found.values())


def _walk(folder: Path, seen: set[Path], unlisted: list[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in seen:  # a link back to where we are
        return
    seen.add(real)
    try:
        children = sorted(folder.iterdir())
    except OSError:
        unlisted.append(folder)
        return
    for child in children:
        if child.name.startswith("."):
            continue
        if child.is_dir():
            yield from _walk(child, seen, unlisted)
        elif child.is_file():
            yield child


def load(path: Path) -> tuple[str, str]:
    """The file's text with newlines as "\\n", and a remark where its encoding had to be guessed.

    Raises Unreadable.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise Unreadable(f"{size:,} bytes long, {MAX_BYTES:,} are read at most: split it")
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from None
    text, remark = _text(data)
    if not text.strip():
        raise Unreadable("empty")
    return text.replace("\r\n", "\n").replace("\r", "\n"), remark


def _text(data: bytes) -> tuple[str, str]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _utf16(data), ""
    if b"\0" in data:
        raise Unreadable("binary")
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return _windows(data), "not UTF-8: read as Windows-1252"


def _utf16(data: bytes) -> str:
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError:
        raise Unreadable("binary") from None


def _windows(data: bytes) -> str:
    """The text, if it plausibly is one: mostly ASCII, the rest mostly letters, no control characters."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8 text") from None
    others = [character for character in text if not character.isascii()]
    letters = sum(character.isalpha() or character in "–—‘’“”…•€£§°±×" for character in others)
    controls = sum(character < " " and character not in "\t\n\r\f" for character in text)
    if controls or len(others) > len(text) / 5 or letters < 0.9 * len(others):
        raise Unreadable("not UTF-8 text")
    return text
