"""What the words of a question tell about the collection: which ones no paper holds, which were mistyped, and whether
one paper holds all.

A word that is one slip of the keyboard away from a word of the collection counts as that word. Knows no vectors.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from rag.records import Paper
from rag.text import Weight, stem, terms

Frequency = Callable[[str], int]
"""How many papers hold a term."""

_WORD: Final = re.compile(r"[^\W_]+(?:['’_-][^\W_]+)*")

SHORTEST_SLIP: Final = 5
"""Letters of the shortest term that may be a slip: of shorter ones nearly every slip is another word."""

LONGEST_SLIP: Final = 25
"""Letters of the longest: no word that people type is longer, and the slips of one grow with the square."""


def unknown_words(question: str, frequency: Frequency) -> tuple[str, ...]:
    """Content words of the question that no paper holds, as they were typed, each once."""
    typed = dict.fromkeys(_WORD.findall(question))
    return tuple(
        word for word in typed if (found := terms(word)) and not any(_known(term, frequency) for term in found)
    )


def unknown_share(question: str, weight: Weight, frequency: Frequency) -> float:
    """Share of the question's weight in terms that no paper holds."""
    asked = sorted(set(terms(question)))
    total = sum(weight(term) for term in asked)
    return sum(weight(term) for term in asked if not _known(term, frequency)) / total if total else 0.0


def mended(question: str, frequency: Frequency, is_word: Callable[[str], bool]) -> tuple[str, tuple[str, ...]]:
    """The question with its mistyped words put right, and the words that were put in.

    Mistyped is what no paper holds, `is_word` does not know and is not written like a name; the word meant is one that
    papers hold.
    """
    meant: dict[str, str] = {}
    for word in dict.fromkeys(_WORD.findall(question)):
        if word.islower() and not _held(word, frequency) and not is_word(word):
            meant[word] = _meant(word, frequency) or word
    put_in = tuple(dict.fromkeys(each for word, each in meant.items() if each != word))
    return _WORD.sub(lambda typed: meant.get(typed.group(), typed.group()), question), put_in


def all_in_one(question: str, papers: Iterable[Paper]) -> bool:
    """Whether one of these papers holds every term of the question, of which there is at least one."""
    asked = set(terms(question))
    return bool(asked) and any(asked.issubset(terms(f"{paper.title}\n{paper.abstract}")) for paper in papers)


def _held(word: str, frequency: Frequency) -> bool:
    """Whether papers hold the word, or it is one that no search looks for."""
    found = terms(word)
    return not found or any(frequency(term) for term in found)


def _known(term: str, frequency: Frequency) -> bool:
    return frequency(term) > 0 or any(
        frequency(meant) or frequency(stem(meant)) for slips in _slips(term) for meant in slips
    )


def _meant(word: str, frequency: Frequency) -> str | None:
    """The word of the most papers among those that the likeliest kind of slip explains.

    Hardly anybody mistypes the first letter (Yannakoudakis and Fawthrop 1983).
    """
    for slips in _slips(word):
        held = {each: papers for each in slips if each[0] == word[0] and (papers := frequency(stem(each)))}
        if held:
            return max(held, key=lambda each: held[each])
    return None


def _slips(term: str) -> Iterator[list[str]]:
    """What may have been meant, the likelier kind first (Damerau 1964): two letters exchanged, one lost, one too many,
    one wrong."""
    if not (SHORTEST_SLIP <= len(term) <= LONGEST_SLIP and term.isascii() and term.isalpha()):
        return
    cuts = [(term[:place], term[place:]) for place in range(len(term) + 1)]
    letters = string.ascii_lowercase
    yield [before + after[1] + after[0] + after[2:] for before, after in cuts if len(after) > 1]
    yield [before + letter + after for before, after in cuts for letter in letters]
    yield [before + after[1:] for before, after in cuts if after]
    yield [before + letter + after[1:] for before, after in cuts if after for letter in letters]
