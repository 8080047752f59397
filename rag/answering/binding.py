"""What a number, a name or a direction is said of, here and in the source: by the words that stand near it.

`grounding` asks whether each is in the source at all; here, whether it belongs to the same thing there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from rag.answering.claims import CLAUSE_ENDS, side
from rag.answering.tokens import Quantity, Token

BRACKET: Final = 2
"""Content words that the end of a bracket is as good as: what stands in it belongs to what is before it."""

NEAR: Final = 4
"""Content words on either side that tell what a number or a direction is about."""

BINDING_MARGIN: Final = 0.4
"""How much nearer something else must stand before a number or name counts as misplaced."""

EXCHANGE_MARGIN: Final = 0.3
"""The same, for two numbers that stand in each other's place."""

Held = Sequence[Sequence[Token]]
"""The sentences of the source."""

Other = Callable[[Token, Token], bool]


def bound_elsewhere(said: Sequence[Token], position: int, held: Held, other: Other) -> bool:
    """Whether the words around `said[position]` stand, in the source, nearer to something else of its kind."""
    token = said[position]
    about = _distances(said, position)
    own = theirs = 0.0
    for sentence in held:
        for place, candidate in enumerate(sentence):
            if _same_thing(token, candidate):
                own = max(own, _closeness(about, _distances(sentence, place)))
            elif other(token, candidate):
                theirs = max(theirs, _closeness(about, _distances(sentence, place)))
    return theirs > own + BINDING_MARGIN


def other_number(token: Token, held: Token) -> bool:
    """Whether `held` is another number of the kind of `token`, one that it could have been mistaken for."""
    if token.quantity is None or held.quantity is None or token.quantity.agrees(held.quantity):
        return False
    return token.quantity.unit == held.quantity.unit or not token.quantity.unit or not held.quantity.unit


def crossed_over(said: Sequence[Token], position: int, held: Held, kind: Callable[[Token], bool]) -> bool:
    """Whether this number or name and a later one stand in each other's place in the source."""
    later = [place for place in range(position + 1, len(said)) if kind(said[place])]
    here = _distances(said, position)
    for other in later:
        there = _distances(said, other)
        straight = _nearness(held, here, said[position]) + _nearness(held, there, said[other])
        crossed = _nearness(held, here, said[other]) + _nearness(held, there, said[position])
        if not _same_thing(said[position], said[other]) and crossed > straight + EXCHANGE_MARGIN:
            return True
    return False


def share_made_part(said: Sequence[Token], position: int, held: Held) -> bool:
    """Whether "by 80%" has become "in 80%" or "to 80%", or the other way round."""
    ours = said[position - 1].lower if position else ""
    theirs = {
        sentence[place - 1].lower
        for sentence in held
        for place, token in enumerate(sentence)
        if place and _same_thing(said[position], token)
    }
    return any(
        ours == one and theirs == {other}
        for pair in (("by", "in"), ("by", "to"), ("to", "from"), ("by", "from"))
        for one, other in (pair, pair[::-1])
    )


def out_of_list(said: Sequence[Token], token: Token, held: Held) -> bool:
    """Numbers told "respectively" belong to their names by order: they pass all together, in that order."""
    told = [t.quantity for t in said if t.quantity is not None]
    for sentence in held:
        if not any(t.lower == "respectively" for t in sentence):
            continue
        for run in _runs(sentence):
            if any(token.quantity is not None and token.quantity.agrees(q) for q in run):
                return not _in_order(run, told)
    return False


def directions_turned(said: Sequence[Token], held: Held) -> str:
    """A direction that the source has the other way round about these words; "" where there is none."""
    for position, token in enumerate(said):
        pointing = side(token)
        if pointing is None:
            continue
        about = _distances(said, position)
        other = "down" if pointing == "up" else "up"
        if _agreement(about, held, other) > _agreement(about, held, pointing):
            return f"the source points the other way than {token.text!r}"
    return ""


def _nearness(held: Held, about: dict[str, int], token: Token) -> float:
    """How close the words `about` stand to the nearest place of `token` in the source."""
    return max(
        (
            _closeness(about, _distances(sentence, place))
            for sentence in held
            for place, candidate in enumerate(sentence)
            if _same_thing(token, candidate)
        ),
        default=0.0,
    )


def _distances(sequence: Sequence[Token], position: int) -> dict[str, int]:
    """Content words within reach of a position, with how many content words away they stand; the rest of a name that
    stands there is no distance."""
    found: dict[str, int] = {}
    name = sequence[position].name
    for step in (-1, 1):
        away, same = 0, name
        place = position + step
        while 0 <= place < len(sequence) and away < 2 * NEAR:
            token = sequence[place]
            if token.lower in CLAUSE_ENDS:
                break
            same = same and token.name
            if token.text == ")":
                away += BRACKET
            if token.keys and not same:
                away += 1
            if token.content and not (token.name and name):
                for key in token.keys:
                    found[key] = min(max(1, away), found.get(key, away))
            place += step
    return found


def _closeness(ours: dict[str, int], theirs: dict[str, int]) -> float:
    """Shared words, each counting for less the further it stands in either text, by the length of the second."""
    length = math.sqrt(sum(1.0 / (away * away) for away in theirs.values()))
    shared = sum(1.0 / (ours[key] * theirs[key]) for key in sorted(ours.keys() & theirs.keys()))
    return shared / length if length else 0.0


def _agreement(about: dict[str, int], held: Held, pointing: str) -> float:
    """How close the words around a direction stand around a word pointing `pointing` in the source; 0 without one."""
    return max(
        (
            1e-6 + _closeness(about, _distances(sentence, place))
            for sentence in held
            for place, token in enumerate(sentence)
            if side(token) == pointing
        ),
        default=0.0,
    )


def _same_thing(token: Token, candidate: Token) -> bool:
    if token.quantity is None or candidate.quantity is None:
        return token.quantity is candidate.quantity and bool(set(token.keys) & set(candidate.keys))
    return token.quantity.agrees(candidate.quantity)


def _runs(held: Sequence[Token]) -> list[list[Quantity]]:
    """Numbers listed one after the other, three tokens apart at most; single ones are no list."""
    runs: list[list[Quantity]] = []
    last = -9
    for place, token in enumerate(held):
        if token.quantity is None:
            continue
        if place - last <= 3:
            runs[-1].append(token.quantity)
        else:
            runs.append([token.quantity])
        last = place
    return [run for run in runs if len(run) > 1]


def _in_order(run: Sequence[Quantity], told: Sequence[Quantity]) -> bool:
    remaining = iter(told)
    return all(any(quantity.agrees(other) for other in remaining) for quantity in run)
