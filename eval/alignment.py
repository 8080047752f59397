"""How a statement lies against its sources, in six numbers; knows nothing of weights or verdicts.

Word overlap cannot see that a statement says the opposite. So the statement is laid beside the source
sentence that shares most of its terms, and what a person would check there is counted: numbers and names that
no source has, a negation on one side only, words that turn into their opposites.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Final

from rag.text import sentences, stem, terms, words

NEGATIONS: Final = """
    no not never none neither nor without cannot fail fails failed unable lack lacks lacking absent absence
    hardly rarely little fewer unlikely instead non
"""

DIRECTIONS: Final = """
    increase/decrease increase/reduce higher/lower high/low more/less greater/smaller larger/smaller large/small
    improve/impair improve/degrade improve/worsen improve/harm better/worse best/worst enhance/inhibit
    enhance/suppress enhance/reduce promote/inhibit promote/suppress promote/prevent promote/block
    activate/inhibit activate/suppress induce/inhibit induce/prevent upregulate/downregulate elevated/reduced
    longer/shorter long/short faster/slower accelerate/delay stronger/weaker strong/weak strengthen/weaken gain/loss
    positive/negative outperform/underperform exceed/below raise/lower boost/hurt boost/reduce rise/fall grow/shrink
    rich/deplete facilitate/hinder most/least benefit/harm many/few maximum/minimum
"""
"""Up/down: opposites, and words that point one way or the other."""

OPPOSITES: Final = """
    sufficient/insufficient necessary/unnecessary require/without able/unable possible/impossible
    effective/ineffective stable/unstable succeed/fail success/failure always/never all/none with/without
    include/exclude present/absent presence/absence dependent/independent same/different similar/different
    expensive/cheap costly/cheap easy/hard simple/complex supervised/unsupervised labeled/unlabeled frozen/trained
    static/dynamic dense/sparse early/late first/last before/after encoder/decoder majority/minority common/rare
    known/unknown open/closed public/private safe/unsafe robust/fragile robust/vulnerable sensitive/insensitive
    susceptible/resistant linear/nonlinear shallow/deep narrow/wide narrow/broad single/multiple
    monolingual/multilingual offline/online local/global internal/external preserve/destroy preserve/lose
    retain/forget accept/reject support/contradict confirm/refute cause/prevent add/remove primary/secondary
    essential/dispensable important/irrelevant significant/insignificant limited/abundant scarce/abundant male/female
    young/old acute/chronic survival/death normal/abnormal double/halve
"""

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_NAME = re.compile(r"[A-Za-z][\w.-]{0,60}\w")
_MOST: Final = 3
"""Counts end here: a fourth missing number says no more than the third."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the judge weighs; shares lie in [0, 1], counts in 0 to 3, `direction` is -1, 0 or 1."""

    held: float
    """Share of the statement's terms in the sources together."""

    missing_numbers: float
    """Numbers of the statement that no source has."""

    missing_names: float
    """Names of the statement (capitals inside a sentence, or digits among letters) that no source has."""

    negated: float
    """1 where either the statement or the nearest sentence has a negation, and the other has none."""

    direction: float
    """1 where both point the same way (up or down), -1 where they point apart, 0 where one points nowhere."""

    opposites: float
    """Words of the statement whose opposite stands in the nearest sentence in their place."""

    @property
    def values(self) -> tuple[float, ...]:
        """The six numbers in the order above."""
        return tuple(asdict(self).values())


def align(statement: str, sources: Sequence[str]) -> Alignment:
    """`statement` laid beside `sources`; without sources nothing is held and all is missing."""
    pieces = [source[start:end] for source in sources for start, end in sentences(source)]
    claimed, together = set(terms(statement)), " ".join(sources)
    held = [claimed & set(terms(piece)) for piece in pieces]
    beside = max(zip(held, pieces, strict=True), key=lambda pair: len(pair[0]))[1] if pieces else ""
    return Alignment(
        held=len(set().union(*held)) / max(len(claimed), 1),
        missing_numbers=_count(_numbers(statement) - _numbers(together)),
        missing_names=_count({name for name in _names(statement) if name not in together.casefold()}),
        negated=float(_negated(statement) != _negated(beside)),
        direction=float(_direction(statement) * _direction(beside)),
        opposites=_count(_turned(_stems(statement), _stems(beside))),
    )


def _count(found: set[str]) -> float:
    return float(min(len(found), _MOST))


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "") for number in _NUMBER.findall(text)}


def _names(text: str) -> set[str]:
    """Words that look like names, folded: "LoRA", "GPT-4", and capitalised ones that do not begin the text."""
    found = _NAME.finditer(text)
    return {match.group().casefold() for match in found if _looks_like_name(match.group(), match.start() == 0)}


def _looks_like_name(word: str, first: bool) -> bool:
    inside = word[1:] if first else word
    return any(character.isupper() or character.isdigit() for character in inside)


def _negated(text: str) -> bool:
    negations = frozenset(NEGATIONS.split())
    return any(word in negations or word.endswith("n't") for word in words(text))


def _stems(text: str) -> set[str]:
    return {stem(part) for word in words(text) for part in word.split("-")}


def _direction(text: str) -> int:
    """1 where more words point up than down, -1 the other way round, else 0."""
    up, down = _poles()
    found = _stems(text)
    return (len(found & up) > len(found & down)) - (len(found & up) < len(found & down))


def _turned(claimed: set[str], beside: set[str]) -> set[str]:
    """Words claimed, not found beside, where an opposite that was not claimed stands."""
    return {word for word in claimed - beside if _opposites().get(word, set()) & (beside - claimed)}


@cache
def _poles() -> tuple[frozenset[str], frozenset[str]]:
    pairs = [pair.split("/") for pair in DIRECTIONS.split()]
    return frozenset(stem(up) for up, _ in pairs), frozenset(stem(down) for _, down in pairs)


@cache
def _opposites() -> dict[str, set[str]]:
    opposites: dict[str, set[str]] = {}
    for pair in (DIRECTIONS + OPPOSITES).split():
        one, other = map(stem, pair.split("/"))
        opposites.setdefault(one, set()).add(other)
        opposites.setdefault(other, set()).add(one)
    return opposites
