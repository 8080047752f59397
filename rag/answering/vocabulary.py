"""What the words of a question tell about the collection: which ones no paper holds, and whether one paper holds all.

A word that is one slip of the keyboard away from a word of the collection counts as that word. Knows no vectors.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from rag.records import Paper
from rag.text import stem, terms

Weight = Callable[[str], float]
Frequency = Callable[[str], int]
"""How much a term says, and how many papers hold it."""

SHORTEST_SLIP: Final = 5
"""Letters of the shortest term that may be a slip: of shorter ones nearly every slip is another word."""


def unknown_words(question: str, frequency: Frequency) -> tuple[str, ...]:
    """Content words of the question that no paper holds, as they were typed, each once."""
    typed = dict.fromkeys(re.findall(r"[^\W_][\w'’-]*", question))
    return tuple(
        word for word in typed if (found := terms(word)) and not any(_known(term, frequency) for term in found)
    )


def unknown_share(question: str, weight: Weight, frequency: Frequency) -> float:
    """Share of the question's weight in terms that no paper holds."""
    asked = sorted(set(terms(question)))
    total = sum(weight(term) for term in asked)
    return sum(weight(term) for term in asked if not _known(term, frequency)) / total if total else 0.0


def all_in_one(question: str, papers: Iterable[Paper]) -> bool:
    """Whether one of these papers holds every term of the question, of which there is at least one."""
    asked = set(terms(question))
    return bool(asked) and any(asked.issubset(terms(f"{paper.title}\n{paper.abstract}")) for paper in papers)


def _known(term: str, frequency: Frequency) -> bool:
    return frequency(term) > 0 or any(frequency(meant) or frequency(stem(meant)) for meant in _slips(term))


def _slips(term: str) -> Iterator[str]:
    """What may have been meant: two letters exchanged, one too many, one wrong, one lost (Damerau 1964)."""
    if len(term) < SHORTEST_SLIP or not (term.isascii() and term.isalpha()):
        return
    for place in range(len(term) + 1):
        before, after = term[:place], term[place:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in string.ascii_lowercase)
        yield from (before + letter + after for letter in string.ascii_lowercase)
