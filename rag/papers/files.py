"""From paths to the text of files: which files a folder holds, and how their bytes are decoded.

Knows nothing of what the text means.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag.errors import BadInput

MAX_BYTES: Final = 200_000_000
"""A million abstracts; what is larger would not fit into memory several times over."""

_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\f\r"))
_BROKEN = re.compile("[\udc80-\udcff]")
"""A byte that is not UTF-8, as "surrogateescape" decodes it."""

_BORNE = 3
"""Odd signs that no file is refused for, however short."""

_MARK = "\ufeff"
"""The byte order mark: also in the middle, where files were put together."""


class Unreadable(BadInput):
    """A file that cannot be read; the message is the reason, and becomes a problem of its own."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read; `named` where the person named it, and it did not turn up in a folder."""

    path: Path
    named: bool


def find(paths: Sequence[Path], unlisted: list[Path]) -> list[Found]:
    """The files that `paths` name, folders searched in sorted order, each file once.

    Hidden files and folders are passed over, and Footnote's own indexes. Folders that cannot be listed are added to
    `unlisted`. Raises BadInput for a path that does not exist or is neither file nor folder.
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
    if {"CURRENT", "builds"} <= {child.name for child in children}:  # an index: its papers come from elsewhere
        return
    for child in children:
        if child.name.startswith("."):
            continue
        if child.is_dir():
            yield from _walk(child, seen, unlisted)
        elif child.is_file():
            yield child


def load(path: Path) -> tuple[str, int | None]:
    """The file's text with newlines as "\\n", and the first line whose encoding had to be guessed.

    Raises Unreadable.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise Unreadable(f"{size:,} bytes long, {MAX_BYTES:,} are read at most: split it")
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror or error}") from None
    text, guessed = _text(data)
    text = text.replace(_MARK, "")
    if not text.strip():
        raise Unreadable("empty")
    return text.replace("\r\n", "\n").replace("\r", "\n"), guessed


def _text(data: bytes) -> tuple[str, int | None]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _utf16(data), None
    if b"\0" in data:
        if sum(map(data.count, _CONTROLS)) > len(data) / 20:
            raise Unreadable("binary")
        data = data.replace(b"\0", b"")
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return _line_by_line(data)


def _utf16(data: bytes) -> str:
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError:
        raise Unreadable("binary") from None


def _line_by_line(data: bytes) -> tuple[str, int | None]:
    """The text with what is not UTF-8 in it read as Windows-1252, and the first line that holds such."""
    lines, guessed = list[str](), dict[int, str]()
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        text, guess = _line(line)
        lines.append(text)
        if guess:
            guessed[number] = guess
    if not _plausible("".join(guessed.values()), len(data)):
        raise Unreadable("not UTF-8 text")
    return "".join(lines), min(guessed)


def _line(line: bytes) -> tuple[str, str]:
    """The line's text, and what of it had to be guessed: its broken bytes, or all where they are the most."""
    text = line.decode(errors="surrogateescape")
    broken = _BROKEN.findall(text)
    if 2 * len(broken) <= sum(not character.isascii() for character in text):
        return _BROKEN.sub(lambda byte: _windows(byte.group()), text), _windows("".join(broken))
    return (_windows(text), _windows(text)) if broken else (text, "")


def _windows(text: str) -> str:
    """Text with bytes that are not UTF-8 in it, as Windows-1252."""
    return text.encode(errors="surrogateescape").decode("cp1252", errors="replace")


def _plausible(guessed: str, length: int) -> bool:
    """Whether what was guessed is text: little that is not ASCII in a file of this length, and mostly letters.

    Few odd signs are borne, as they must not cost the rest of the file.
    """
    others = [character for character in guessed if not character.isascii()]
    letters = sum(character.isalpha() or character in "–—‘’“”…•€£§°±×" for character in others)
    odd = len(others) - letters + sum(map(guessed.encode().count, _CONTROLS))
    return len(others) <= length / 5 and odd <= max(_BORNE, len(others) / 10, length / 200)
