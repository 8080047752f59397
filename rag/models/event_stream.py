"""Server-sent events: the bytes of a `text/event-stream`, cut anywhere, to the data of its events.

After https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as one answer needs it: only data is kept.
Knows nothing of what the data says.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import Final

MAX_EVENT: Final = 100_000
"""Characters in one event: a piece of an answer has some hundred, and what is longer is a mistake or an attack."""


class EventStream:
    """What has been read of one stream."""

    def __init__(self) -> None:
        utf8 = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._line = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of each event that ends in `chunk`. Raises ValueError where an event is longer than MAX_EVENT."""
        yield from self._read(self._decoder.decode(chunk))

    def end(self) -> Iterator[str]:
        """The last event, where the stream ended without the blank line that should follow it."""
        yield from self._read(self._decoder.decode(b"", final=True) + "\n\n")

    def _read(self, text: str) -> Iterator[str]:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            if line:
                self._take(line)
            elif self._data:
                yield "\n".join(self._data)
                self._data = []
        self._check_length()

    def _take(self, line: str) -> None:
        """Comments begin with a colon, so they are the field without a name."""
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))

    def _check_length(self) -> None:
        if len(self._line) + sum(map(len, self._data)) + len(self._data) > MAX_EVENT:
            raise ValueError(f"an event of the stream has more than {MAX_EVENT:,} characters")
