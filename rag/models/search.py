"""A search for the likeliest answer that is allowed, where a guard says what that is.

Beam search (Graves 2012, arXiv:1211.3711) in which a beginning that strays is dropped as soon as its last word is
whole, so that the next likeliest takes its place: instead of being thrown away when it is finished, an answer is
turned aside where it goes wrong. Deterministic. Knows neither engines nor what the guard looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from rag.models import Guard
from rag.models.prompting import Prompting
from rag.models.rows import Choice, Reading, Row

WIDTH: Final = 4
"""Beginnings of one answer that are followed at once. Three would find a wording for one sentence in twenty less."""

LONGEST_WORD: Final = 40
"""Characters; what grows longer without a space is no word, and no guard would ever be asked about it."""


class _Grown(NamedTuple):
    """A beginning with one more token: the place of the row that it goes on from, and how likely it is as a whole."""

    place: int
    choice: Choice
    log_probability: float


@dataclass(slots=True)
class _Beam:
    """The beginnings of one answer, likeliest first, and the most certain whole one that was allowed so far."""

    number: int
    rows: list[Row]
    answer: str = ""
    certainty: float = float("-inf")

    @property
    def over(self) -> bool:
        """Whether no beginning would be more certain than what was found if it ended now, for sure."""
        return all(_certainty(row, row.log_probability) <= self.certainty for row in self.rows)


@dataclass(frozen=True, slots=True)
class Search:
    """Answers to several prompts, searched for together, with a guard for each; `ends` are the tokens that end one."""

    prompting: Prompting
    ends: frozenset[int]
    guards: Sequence[Guard]

    def run(
        self, rows: Sequence[Row], reading: Reading, stopped: Callable[[], bool]
    ) -> Iterator[tuple[int, str | None]]:
        """Each answer whole, with the number of its prompt, then None for it; None alone where none was allowed."""
        beams = [_Beam(row.number, [row]) for row in rows]
        while beams and not stopped():
            read = [row for beam in beams for row in beam.rows]
            offered = reading.step(read, WIDTH, stopped)
            if offered is None:
                return
            places, first = list[int](), 0
            for beam in beams:
                width = len(beam.rows)
                kept = self._advance(beam, offered[first : first + width])
                if not beam.over:
                    places += [first + place for place in kept]
                first += width
            for beam in beams:
                if beam.over:
                    yield from [(beam.number, beam.answer)] if beam.answer else []
                    yield beam.number, None
            beams = [beam for beam in beams if not beam.over]
            if beams and places != list(range(len(read))):
                reading.keep(places)

    def _advance(self, beam: _Beam, offered: Sequence[Sequence[Choice]]) -> list[int]:
        """Each beginning one token on, by its likeliest ways; the places of the rows that they go on from."""
        grown = (
            _Grown(place, choice, row.log_probability + choice.log_probability)
            for place, (row, choices) in enumerate(zip(beam.rows, offered, strict=True))
            for choice in choices
        )
        guard = self.guards[beam.number]
        holds = cache(lambda place: guard.begins(beam.rows[place].whole))
        rows, places = list[Row](), list[int]()
        for place, choice, log_probability in sorted(grown, key=lambda each: -each.log_probability):
            row = beam.rows[place]
            if choice.token in self.ends:
                self._end(beam, row, log_probability)
            elif row.room:
                longer = row.extended(choice, self.prompting)
                if holds(place) if _new_word(longer, row) else _is_word(longer):
                    rows.append(longer)
                    places.append(place)
            if len(rows) == WIDTH:
                break
        beam.rows = rows
        return places

    def _end(self, beam: _Beam, row: Row, log_probability: float) -> None:
        certainty = _certainty(row, log_probability)
        if certainty > beam.certainty and self.guards[row.number].ends(row.whole, certainty):
            beam.answer, beam.certainty = row.whole, certainty


def _certainty(row: Row, log_probability: float) -> float:
    """The mean over the tokens and the end: by the sum, an answer would be the likelier the less it says."""
    return log_probability / (len(row.written) + 1)


def _new_word(longer: Row, row: Row) -> bool:
    """Whether the last word of `row` is whole, for what comes next in `longer` stands apart from it."""
    return longer.text[len(row.text) :][:1].isspace()


def _is_word(row: Row) -> bool:
    return all(len(word) <= LONGEST_WORD for word in row.text.rsplit(maxsplit=1)[-1:])
