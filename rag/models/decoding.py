"""The loop around a model that computes the next tokens: several prompts read and answered together.

Written as a generator: no thread stands behind it that could hang or run on, errors arise where the text is read, and
closing the iterator ends the computation. Knows rows of tokens and limits; knows no model library.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from rag.errors import ModelFailed
from rag.models import Generator, Limits, Message
from rag.models.prompting import Prompting
from rag.models.rows import Reading, Row
from rag.models.search import Search


class DecodingGenerator(Generator):
    """A model that writes token by token: the likeliest each time, or by a search where a guard has to allow it.

    Safe to call from several threads. `window` is the longest text it can read in tokens, where it has such a limit.
    """

    def __init__(
        self, name: str, fingerprint: str, prompting: Prompting, ends: frozenset[int], window: int | None
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._prompting = prompting
        self._ends = ends
        self._window = window

    @abstractmethod
    def _begin(self) -> Reading:
        """A batch of which nothing has been read."""

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        """Pieces of the answer as they come, greedily chosen, whole characters only; ends quietly at a limit.

        Raises ModelFailed where the prompt does not fit the model's window or the model fails.
        """
        for _, piece in self._greedy(self._rows([messages], limits), _stopping(limits)):
            if piece is not None:
                yield piece

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        """The same for several prompts, decoded together: each says what it would say alone, up to ties of its scores.

        The pieces come in turn, each with the number of its prompt; None says that this one is complete. Where there
        are guards, one piece is the whole answer, and what has to be cut short is none.
        """
        stopped = _stopping(limits)
        rows = self._rows(prompts, limits)
        if not limits.guards:
            return self._greedy(rows, stopped)
        return Search(self._prompting, self._ends, limits.guards).run(rows, self._begin(), stopped)

    def _greedy(self, rows: Sequence[Row], stopped: Callable[[], bool]) -> Iterator[tuple[int, str | None]]:
        reading = self._begin()
        while rows and not stopped():
            offered = reading.step(rows, 1, stopped)
            if offered is None:
                return
            longer = []
            for row, [choice] in zip(rows, offered, strict=True):
                ended = choice.token in self._ends
                longer.append(replace(row, room=0) if ended else row.extended(choice, self._prompting))
                if piece := longer[-1].whole[len(row.whole) :]:
                    yield row.number, piece
                if not longer[-1].room:
                    yield row.number, None
            going_on = [place for place, row in enumerate(longer) if row.room]
            if len(going_on) < len(longer):
                reading.keep(going_on)
            rows = [longer[place] for place in going_on]

    def _rows(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> list[Row]:
        encoded = [self._prompting.encode(messages) for messages in prompts]
        longest = max(map(len, encoded), default=0)
        rows = [
            Row(number, tuple(tokens), min(limits.max_new_tokens, self._room_after(tokens)), longest - len(tokens))
            for number, tokens in enumerate(encoded)
        ]
        return [row for row in rows if row.room > 0]

    def _room_after(self, prompt: Sequence[int]) -> int:
        window = self._window or len(prompt) + 1_000_000
        if len(prompt) >= window:
            raise ModelFailed(
                f"the prompt has {len(prompt)} tokens and the window of {self.name} {window}:"
                " ask a shorter question or use another generator"
            )
        return window - len(prompt)


def _stopping(limits: Limits) -> Callable[[], bool]:
    """Whether the time that the limits give, from now on, is over, or nobody wants the answer any more."""
    deadline = time.monotonic() + limits.seconds
    return lambda: limits.cancelled.is_set() or time.monotonic() > deadline
