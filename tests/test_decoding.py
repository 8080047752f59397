"""The greedy loop with an engine that is a table: what is told of rows, when, and of which not at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from rag.models import Limits, Message
from rag.models.decoding import GreedyGenerator, Row

END = 0


class Letters:
    """One token a letter; what a prompt says is what is answered."""

    def encode(self, messages: Sequence[Message]) -> list[int]:
        return [ord(letter) for letter in messages[-1].content]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))

    def first_token(self, text: str) -> int:
        return ord(text[0])


class Echoing(GreedyGenerator):
    """Says each prompt back, each token as likely as `likely`."""

    def __init__(self, likely: float = 0.5) -> None:
        super().__init__("echo", "e", Letters(), frozenset({END}), None)  # type: ignore[arg-type]
        self.likely = likely

    def _begin(self) -> Echoing:
        self._lengths: dict[int, int] = {}
        return self

    def step(self, rows: Sequence[Row], stopped: Callable[[], bool]) -> list[int]:
        found = []
        for row in rows:
            length = self._lengths.setdefault(row.number, len(row.tokens))
            said = len(row.tokens) - length
            wanted = row.tokens[said] if said < length else END
            found.append(row.choose(ord("?") if wanted in row.bars else wanted, math.log(self.likely)))
        return found

    def keep(self, places: Sequence[int]) -> None:
        pass


def told(generator: GreedyGenerator, limits: Limits, *prompts: str) -> dict[int, str]:
    texts: dict[int, str] = {}
    for number, piece in generator.stream_batch([[Message("user", prompt)] for prompt in prompts], limits):
        texts[number] = texts.get(number, "") + (piece or "")
    return texts


def test_each_row_says_its_own() -> None:
    assert told(Echoing(), Limits(), "fox", "a hen") == {0: "fox", 1: "a hen"}


@pytest.mark.parametrize(("likely", "text"), [(0.9, "fox"), (0.3, "")], ids=["sure", "unsure"])
def test_what_a_model_is_not_sure_of_is_not_told(likely: float, text: str) -> None:
    assert told(Echoing(likely), Limits(sure=math.log(0.5)), "fox") == {0: text}


def test_where_it_has_to_be_sure_a_row_is_told_whole() -> None:
    pieces = list(Echoing(0.9).stream_batch([[Message("user", "fox")]], Limits(sure=-1.0)))
    assert pieces == [(0, "fox"), (0, None)]


def test_an_answer_does_not_begin_with_what_is_unwanted() -> None:
    assert told(Echoing(), Limits(unwanted="None."), "Nobody", "fox") == {0: "?obody", 1: "fox"}
