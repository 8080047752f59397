"""The loop with an engine that is a table: what is told of rows, when, and of which not at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest
from model_cases import texts_of

from rag.models import Limits, Message
from rag.models.decoding import DecodingGenerator
from rag.models.rows import Choice, Row

END = 0


class Letters:
    """One token a letter; what a prompt says is what is answered."""

    def encode(self, messages: Sequence[Message]) -> list[int]:
        return [ord(letter) for letter in messages[-1].content]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))


class Echoing(DecodingGenerator):
    """Says each prompt back, each token as likely as `likely`, and knows nothing else to say."""

    def __init__(self, likely: float = 0.5) -> None:
        super().__init__("echo", "e", Letters(), frozenset({END}), None)  # type: ignore[arg-type]
        self.likely = likely
        self.wide: set[int] = set()

    def _begin(self) -> Echoing:
        return self

    def step(self, rows: Sequence[Row], wide: int, stopped: Callable[[], bool]) -> list[list[Choice]]:
        self.wide.add(wide)
        return [[Choice(self._next(row), math.log(self.likely))] for row in rows]

    def keep(self, places: Sequence[int]) -> None:
        pass

    def _next(self, row: Row) -> int:
        said = len(row.written)
        prompt = row.tokens[: len(row.tokens) - said]
        return prompt[said] if said < len(prompt) else END


class Guarding:
    """Allows what is as certain as this, and no answer that begins with `unwanted`."""

    def __init__(self, certain: float = 0.0, unwanted: str = "None") -> None:
        self.certain = certain
        self.unwanted = unwanted

    def begins(self, text: str) -> bool:
        return not text.startswith(self.unwanted)

    def ends(self, text: str, certainty: float) -> bool:
        return self.begins(text) and math.exp(certainty) >= self.certain


def told(generator: DecodingGenerator, limits: Limits, *prompts: str) -> list[tuple[int, str | None]]:
    return list(generator.stream_batch([[Message("user", prompt)] for prompt in prompts], limits))


def test_each_row_says_its_own_as_it_comes() -> None:
    pieces = told(Echoing(), Limits(), "ox", "hen")
    assert pieces == [(0, "o"), (1, "h"), (0, "x"), (1, "e"), (0, None), (1, "n"), (1, None)]


def test_without_a_guard_only_the_likeliest_token_is_asked_for() -> None:
    generator = Echoing()
    told(generator, Limits(), "fox")
    assert generator.wide == {1}


def test_where_there_is_a_guard_an_answer_is_told_whole() -> None:
    assert told(Echoing(), Limits(guards=[Guarding()]), "a fox") == [(0, "a fox"), (0, None)]


@pytest.mark.parametrize(
    ("likely", "pieces"), [(0.9, [(0, "fox"), (0, None)]), (0.3, [(0, None)])], ids=["certain", "uncertain"]
)
def test_what_a_guard_finds_too_uncertain_is_not_told(likely: float, pieces: list[tuple[int, str | None]]) -> None:
    assert told(Echoing(likely), Limits(guards=[Guarding(certain=0.5)]), "fox") == pieces


def test_each_prompt_has_its_own_guard() -> None:
    guards = [Guarding(), Guarding(unwanted="Some"), Guarding()]
    pieces = told(Echoing(), Limits(guards=guards), "None here", "None there", "Some")
    assert texts_of(pieces) == {0: "|", 1: "None there|", 2: "Some|"}


@pytest.mark.parametrize(
    ("allowed", "pieces"), [(3, [(0, "fox"), (0, None)]), (2, [(0, None)])], ids=["all of it", "cut short"]
)
def test_where_there_is_a_guard_what_has_to_be_cut_short_is_not_told(
    allowed: int, pieces: list[tuple[int, str | None]]
) -> None:
    assert told(Echoing(), Limits(max_new_tokens=allowed, guards=[Guarding()]), "fox") == pieces


@pytest.mark.parametrize("guards", [[], [Guarding()]], ids=["greedy", "guarded"])
def test_what_is_cancelled_before_it_starts_computes_nothing(guards: list[Guarding]) -> None:
    generator, limits = Echoing(), Limits(guards=guards)
    limits.cancelled.set()
    assert told(generator, limits, "fox") == []
    assert generator.wide == set()
