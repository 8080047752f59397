"""The greedy loop: several prompts read and answered together, token by token, by whatever engine computes them.

Written as a generator: no thread stands behind it that could hang or run on, errors arise where the text is read, and
closing the iterator ends the computation. Knows rows of tokens and limits; knows no model library.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rag.errors import ModelFailed
from rag.models import Generator, Limits, Message
from rag.models.prompting import INCOMPLETE, Prompting


@dataclass(slots=True)
class Row:
    """One answer in the making.

    `tokens` are the prompt's and those written since, `padding` the columns that stand before them so that all rows
    of a batch end in the same column, `room` how many tokens may still be written, `barred` the token that may not be
    the first of them, `surprise` the summed negative log-probability of those that were chosen.
    """

    number: int
    tokens: list[int]
    room: int
    padding: int = 0
    barred: int | None = None
    surprise: float = 0.0
    _written: list[int] = field(default_factory=list)
    _told: int = 0
    _chosen: int = 0

    @property
    def certainty(self) -> float:
        """Mean log-probability of the tokens chosen so far, the one that ended the text included."""
        return -self.surprise / max(1, self._chosen)

    def choose(self, token: int, log_probability: float) -> int:
        """Note how likely the next token was."""
        self.surprise -= log_probability
        self._chosen += 1
        return token

    @property
    def bars(self) -> list[int]:
        """Tokens that may not come next."""
        return [] if self._written or self.barred is None else [self.barred]

    def text(self, prompting: Prompting) -> str:
        """All that was written, whole characters only."""
        return prompting.decode(self._written).rstrip(INCOMPLETE)

    def add(self, token: int, prompting: Prompting) -> str:
        """Take in the next token: the text that is whole with it and was not before, often none."""
        self.tokens.append(token)
        self._written.append(token)
        self.room -= 1
        text = prompting.decode(self._written).rstrip(INCOMPLETE)
        piece, self._told = text[self._told :], max(self._told, len(text))
        return piece


@dataclass(frozen=True, slots=True)
class Block:
    """Some columns of a batch: their `tokens` and `positions`, and `mask` (0 is padding) of these and all before."""

    tokens: list[list[int]]
    positions: list[list[int]]
    mask: list[list[int]]

    @classmethod
    def of(cls, rows: Sequence[Row], start: int, end: int | None = None) -> Block:
        """What a model that has read `start` columns of these rows reads next, up to column `end`."""
        return cls(
            # Padding is masked, so any token will do.
            tokens=[[*[0] * row.padding, *row.tokens][start:end] for row in rows],
            positions=[[*[0] * row.padding, *range(len(row.tokens))][start:end] for row in rows],
            mask=[[*[0] * row.padding, *[1] * len(row.tokens)][:end] for row in rows],
        )

    @property
    def padded(self) -> bool:
        """Whether there is any padding, in columns read before included."""
        return any(0 in row for row in self.mask)


class Reading(Protocol):
    """How far a model has read one batch; it remembers what it has read as the model does."""

    def step(self, rows: Sequence[Row], stopped: Callable[[], bool]) -> list[int] | None:
        """Read what is new in `rows`: the likeliest next token of each, or None where `stopped` ended it midway.

        Raises ModelFailed.
        """

    def keep(self, places: Sequence[int]) -> None:
        """Forget all rows but those that stood in these places."""


class GreedyGenerator(Generator):
    """A model that is asked for the likeliest next token until the text ends. Safe to call from several threads.

    `window` is the longest text it can read in tokens, where it has such a limit. `note` tells the person, in a line,
    why it is not the engine that was wished for.
    """

    note: str = ""

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
        for _, piece in self._together([messages], limits):
            if piece is not None:
                yield piece

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        """The same for several prompts, decoded together: each says what it would say alone, up to ties of its scores.

        The pieces come in turn, each with the number of its prompt; None says that this one is complete.
        """
        return self._together(prompts, limits)

    def _together(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        deadline = time.monotonic() + limits.seconds

        def stopped() -> bool:
            return limits.cancelled.is_set() or time.monotonic() > deadline

        rows = [row for row in self._rows(prompts, limits) if row.room > 0]
        reading = self._begin()
        while rows and not stopped():
            tokens = reading.step(rows, stopped)
            if tokens is None:
                return
            for row, token in zip(rows, tokens, strict=True):
                yield from self._told(row, token, limits.sure)
            going_on = [place for place, row in enumerate(rows) if row.room]
            if len(going_on) < len(rows):
                reading.keep(going_on)
                rows = [rows[place] for place in going_on]

    def _told(self, row: Row, token: int, sure: float | None) -> Iterator[tuple[int, str | None]]:
        """What there is to tell of a row after its next token; one that is complete has no room left.

        Where it has to be `sure`, everything at its end or nothing.
        """
        if token in self._ends:
            row.room = 0
        elif (piece := row.add(token, self._prompting)) and sure is None:
            yield row.number, piece
        if not row.room:
            if sure is not None and row.certainty >= sure and (text := row.text(self._prompting)):
                yield row.number, text
            yield row.number, None

    def _rows(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> list[Row]:
        encoded = [self._prompting.encode(messages) for messages in prompts]
        longest = max(map(len, encoded), default=0)
        barred = self._prompting.first_token(limits.unwanted) if limits.unwanted else None
        return [
            Row(number, tokens, min(limits.max_new_tokens, self._room_after(tokens)), longest - len(tokens), barred)
            for number, tokens in enumerate(encoded)
        ]

    def _room_after(self, prompt: Sequence[int]) -> int:
        window = self._window or len(prompt) + 1_000_000
        if len(prompt) >= window:
            raise ModelFailed(
                f"the prompt has {len(prompt)} tokens and the window of {self.name} {window}:"
                " ask a shorter question or use another generator"
            )
        return window - len(prompt)
