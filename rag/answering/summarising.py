"""Evidence from several papers to a summary's plan: which papers speak of the same thing, and which of them disagree.

Papers are joined while what was picked of them is alike (average linkage on sentence vectors); a theme is named by the
words that its papers share and the question did not use. Knows nothing of models, of wording or of numbers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import combinations, dropwhile
from typing import Final

import numpy as np

from rag.answering.claims import CLAUSE_ENDS, Token, keys, negated, side, tokens
from rag.models import Vectors
from rag.records import Evidence, Theme
from rag.text import terms

JOINED: Final = 0.5
"""Mean cosine from which papers make one theme: sentences of the shipped collection that answer one question have
cosines between .2 and .8, and those that a reader would put together lie above .5."""

SAME_MATTER: Final = 0.6
"""Cosine from which two sentences speak of the same matter, so that a difference between them is a disagreement."""

BESIDE: Final = 2
"""Content words beside a word of direction that it can be about."""

_WITHIN: Final = frozenset({"of", "the", "a", "an"})
"""Function words that a phrase goes on over."""

SHARED: Final = 2
"""Content words that two sentences must share, beside the one they disagree on."""

NAMED_BY: Final = 2
"""Words or pairs of words that name a theme."""

Weight = Callable[[str], float]


def themes(
    evidence: Sequence[Evidence], vectors: Mapping[tuple[str, int], Vectors], question: str, weight: Weight
) -> tuple[Theme, ...]:
    """The papers of the evidence by theme, in the order of the best evidence; those that stand alone come last.

    `vectors` gives the unit vector of each sentence by paper and position; `weight` how much a term tells.
    """
    by_paper: dict[str, list[Evidence]] = defaultdict(list)
    for item in evidence:
        by_paper[item.paper.paper_id].append(item)
    means = {paper_id: _mean([vectors[_place(item)] for item in items]) for paper_id, items in by_paper.items()}
    groups = _linked(means)
    alone = tuple(group[0] for group in groups if len(group) == 1)
    together = [group for group in groups if len(group) > 1]
    found = [
        Theme(
            _about([by_paper[paper_id] for paper_id in group], question, weight),
            tuple(group),
            _opposed(group, by_paper, vectors),
        )
        for group in together
    ]
    return (*found, Theme("", alone, _opposed(alone, by_paper, vectors))) if alone else tuple(found)


def _place(item: Evidence) -> tuple[str, int]:
    return item.paper.paper_id, item.sentence.position


def _mean(vectors: Sequence[Vectors]) -> Vectors:
    mean: Vectors = np.mean(vectors, axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def _linked(means: Mapping[str, Vectors]) -> list[list[str]]:
    """Groups by average linkage; each in the given order, and the groups in the order of their first members."""
    order = list(means)
    groups = [[paper_id] for paper_id in order]
    while len(groups) > 1:
        likeness, one, other = max(
            (_likeness(groups[one], groups[other], means), -one, -other)
            for one, other in combinations(range(len(groups)), 2)
        )
        if likeness < JOINED:
            break
        joined = sorted(groups[-one] + groups[-other], key=order.index)
        groups = [group for place, group in enumerate(groups) if place not in (-one, -other)] + [joined]
    return sorted(groups, key=lambda group: order.index(group[0]))


def _likeness(one: Sequence[str], other: Sequence[str], means: Mapping[str, Vectors]) -> float:
    return float(np.mean([means[left] @ means[right] for left in one for right in other]))


# --- the name of a theme --------------------------------------------------------------------------------------------


def _about(papers: Sequence[Sequence[Evidence]], question: str, weight: Weight) -> str:
    """The words that most of the papers share, as they are written most often; "" where they share none."""
    asked = set(terms(question))
    held: Counter[tuple[str, ...]] = Counter()
    written: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for items in papers:
        phrases = _phrases([items[0].paper.title, *(item.sentence.text for item in items)])
        held.update({stems for stems, _ in phrases})
        for stems, text in phrases:
            written[stems][text] += 1
    worth = {
        stems: count * sum(weight(stem) for stem in stems)
        for stems, count in held.items()
        if count >= 2 and not asked.intersection(stems)
    }
    named: list[tuple[str, ...]] = []
    for stems in sorted(worth, key=lambda stems: (-worth[stems], stems)):
        if len(named) < NAMED_BY and not any(set(stems) & set(other) for other in named):
            named.append(stems)
    return ", ".join(max(sorted(written[stems]), key=lambda text: written[stems][text]) for stems in named)


def _phrases(texts: Iterable[str]) -> list[tuple[tuple[str, ...], str]]:
    """Content words and neighbouring pairs of them: stems and the text as written, in lower case unless a name."""
    found: list[tuple[tuple[str, ...], str]] = []
    for text in texts:
        words = list(tokens(text))
        for place, token in enumerate(words):
            if _names(token):
                found.append(((token.keys[0],), _written(token)))
                following = words[place + 1] if place + 1 < len(words) else None
                if following is not None and _names(following):
                    found.append(((token.keys[0], following.keys[0]), f"{_written(token)} {_written(following)}"))
    return found


def _names(token: Token) -> bool:
    return token.content and not token.free and len(token.text) > 2 and re.fullmatch(r"[\w-]+", token.text) is not None


def _written(token: Token) -> str:
    return token.text if any(letter.isupper() for letter in token.text[1:]) else token.text.lower()


# --- disagreement ---------------------------------------------------------------------------------------------------


def _opposed(
    group: Sequence[str], by_paper: Mapping[str, Sequence[Evidence]], vectors: Mapping[tuple[str, int], Vectors]
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (one, other)
        for one, other in combinations(group, 2)
        if any(
            float(vectors[_place(left)] @ vectors[_place(right)]) >= SAME_MATTER
            and disagree(left.sentence.text, right.sentence.text)
            for left in by_paper[one]
            for right in by_paper[other]
        )
    )


def disagree(one: str, other: str) -> bool:
    """Whether two sentences on the same matter say contrary things of something that both name.

    One denies what the other says, or a word of one direction stands beside it there and of the other here. A rule of
    thumb that points the reader to both papers; it states nothing.
    """
    left, right = tokens(one), tokens(other)
    shared = {key for key in keys(left) & keys(right) if key in _telling(left) and key in _telling(right)}
    if len(shared) <= SHARED:
        return False
    return (
        _denies(left, right, shared)
        or _denies(right, left, shared)
        or bool(_directed(left, "up") & _directed(right, "down") & shared)
        or bool(_directed(left, "down") & _directed(right, "up") & shared)
    )


def _telling(sequence: Sequence[Token]) -> set[str]:
    return {token.keys[0] for token in sequence if token.content and not token.free}


def _denies(one: Sequence[Token], other: Sequence[Token], shared: Set[str]) -> bool:
    """Whether one denies what the other says; "needs no labels" and "does not need labels" deny the same."""
    elsewhere = {key for reach in negated(other) for word in reach for key in word} & shared
    return any(
        reach[0][0] in shared and elsewhere.isdisjoint(key for word in reach for key in word)
        for reach in negated(one)
        if reach
    )


def _directed(sequence: Sequence[Token], direction: str) -> set[str]:
    """What is said to go this way and nothing else: what the same sentence lets go both ways tells nothing."""
    ways: dict[str, set[str]] = {"up": set(), "down": set()}
    denied = {reach[0] for reach in negated(sequence) if reach}
    for place, token in enumerate(sequence):
        if (way := side(token)) is not None and token.keys not in denied:
            ways[way] |= _phrase(sequence[place + 1 :]) or _phrase(_from_a_word_on(sequence[:place][::-1]))
    return ways[direction] - ways["down" if direction == "up" else "up"]


def _from_a_word_on(sequence: Sequence[Token]) -> Sequence[Token]:
    """Without auxiliaries and the like: "error was lower in mice" speaks of the error."""
    return list(dropwhile(lambda token: not token.keys and token.lower not in CLAUSE_ENDS, sequence))


def _phrase(sequence: Sequence[Token]) -> set[str]:
    """The first content words, as far as nothing but "of" and articles stands before or between them."""
    near: set[str] = set()
    for token in sequence:
        if len(near) == BESIDE or (not token.keys and token.lower not in _WITHIN):
            break
        if token.content and not token.free and side(token) is None:
            near.add(token.keys[0])
    return near
