"""What every engine computes with: rows of tokens, read together, and how one reads on.

Knows no model library, no limits of time, and nothing of what the tokens say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from rag.models.prompting import INCOMPLETE, Prompting


class Choice(NamedTuple):
    """A token that may come next, and its natural logarithm of probability."""

    token: int
    log_probability: float


@dataclass(frozen=True, slots=True)
class Row:
    """One answer in the making, or one beginning of it.

    `tokens` are the prompt's and the `written` ones since, `room` how many may still be written, `padding` the columns
    that stand before them so that all rows of a batch end in the same column, `text` what was written, with a mark at
    its end while a character is not whole, `log_probability` that of the written tokens together.
    """

    number: int
    tokens: tuple[int, ...]
    room: int
    padding: int = 0
    written: tuple[int, ...] = ()
    text: str = ""
    log_probability: float = 0.0

    def extended(self, choice: Choice, prompting: Prompting) -> Row:
        """The row with one more token."""
        written = (*self.written, choice.token)
        return replace(
            self,
            tokens=(*self.tokens, choice.token),
            room=self.room - 1,
            written=written,
            text=prompting.decode(written),
            log_probability=self.log_probability + choice.log_probability,
        )

    @property
    def whole(self) -> str:
        """What was written, whole characters only."""
        return self.text.rstrip(INCOMPLETE)


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

    def step(self, rows: Sequence[Row], wide: int, stopped: Callable[[], bool]) -> list[list[Choice]] | None:
        """Read what is new in `rows`: the `wide` likeliest next tokens of each, the likeliest first.

        None where `stopped` ended it midway. Raises ModelFailed.
        """

    def keep(self, places: Sequence[int]) -> None:
        """Go on from the rows that stood in these places, from each as often as it is named; forget the others."""
