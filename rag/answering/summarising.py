"""Evidence from several papers to a summary's plan: which papers speak of the same thing, and which of them disagree.

Papers are joined while what was picked of them is alike (average linkage on sentence vectors); a theme is named by a
phrase that its papers share and the question did not use. Knows nothing of models, of wording or of numbers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations, dropwhile
from typing import Final

import numpy as np

from rag.answering.claims import CLAUSE_ENDS, negated, side
from rag.answering.tokens import Token, keys, tokens
from rag.models import Vectors
from rag.records import Evidence, Theme
from rag.text import Weight, stem, terms

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

TELLING: Final = 1.8
"""Weight of the rarest word of a name, at least: one paper in six holds such a word, and what more of them hold would
do for any theme of the collection."""

WORTH: Final = 2.8
"""Weight of a name, at least, times the papers that tell it: what one paper alone tells has to be rare."""

_BEFORE: Final = frozenset(
    "of for in on with from by via at across through under between into towards over without during".split()
)
"""What a noun phrase without an article can follow. Not "to" or "and", which verbs follow too."""

_OPENING: Final = frozenset("a an the this these those its their our his her each every any some no both".split())
"""What follows no noun phrase: the word before is a verb, "improving the"."""

_NO_NOUN: Final = re.compile(
    r"(?:ly|ous|ive|ful|less|[ai]ble|al|ic|ant|(?<!m)ent|(?<!e)ed|\w{3}(?:i[sz]e|ify)|"
    r"-(?!\w*(?:ing|ion|ment)s?$)\w+)$"
)
"""Endings of adjectives, adverbs, participles and verbs; the plural of a noun, "objectives", has none of them."""

_NOUNS: Final = frozenset("retrieval signal logic music topic metric traffic gradient agent content".split())

_IDLE: Final = frozenset(
    stem(word)
    for word in """end hand order addition contrast particular general practice fact scratch direction insight
    question problem challenge example experiment paradigm performance advance furthermore moreover""".split()
)
"""Nouns that any abstract may use and that name nothing, by themselves or in an idiom such as "on the other hand"."""

_SENTENCE_END: Final = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")


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


_Stems = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A word, or two neighbours, that ends in something like a noun.

    `bare` where it is a whole noun phrase; `after` is the content word before it where it is the end of a longer one.
    """

    stems: _Stems
    text: str
    bare: bool
    after: str
    title: bool


def _about(papers: Sequence[Sequence[Evidence]], question: str, weight: Weight) -> str:
    """What half of the papers or more share, as running text writes it; "" where nothing of that would do as a name.

    The whole abstracts count as shared; but it is their titles and what was picked of them that a name must be told by.
    """
    asked = set(terms(question))
    seen: dict[_Stems, list[_Phrase]] = defaultdict(list)
    held: Counter[_Stems] = Counter()
    told: Counter[_Stems] = Counter()
    for items in papers:
        title = _phrases(items[0].paper.title, title=True)
        text = [phrase for each in _SENTENCE_END.split(items[0].paper.abstract) for phrase in _phrases(each)]
        picked = [phrase for item in items for phrase in _phrases(item.sentence.text)]
        held.update({phrase.stems for phrase in (*title, *text)})
        told.update({phrase.stems for phrase in (*title, *picked)})
        for phrase in (*title, *text):
            seen[phrase.stems].append(phrase)

    def worth(stems: _Stems) -> float:
        return told[stems] * sum(map(weight, stems))

    names = [
        stems
        for stems, count in held.items()
        if count >= max(2, len(papers) / 2)
        and asked.isdisjoint(stems)
        and max(_rarity(term, weight) for term in stems) >= TELLING
        and worth(stems) >= WORTH
        and _whole(seen[stems])
    ]
    return _as_written(_whole(seen[min(names, key=lambda stems: (-worth(stems), stems))])) if names else ""


def _rarity(term: str, weight: Weight) -> float:
    """The weight of a term, or of the plural that stemming leaves an abbreviation: LLM is rare where LLMs are many."""
    return min(weight(term), weight(f"{term}s"))


def _whole(phrases: Sequence[_Phrase]) -> list[_Phrase]:
    """Where the phrase is a whole; after one and the same word each time it is a part of a longer one."""
    if bare := [phrase for phrase in phrases if phrase.bare]:
        return bare
    after = [phrase for phrase in phrases if phrase.after and len(phrase.stems) > 1]
    return after if len({phrase.after for phrase in after}) > 1 else []


def _as_written(phrases: Sequence[_Phrase]) -> str:
    """The commonest form, counted in running text where there is some."""
    forms = Counter(phrase.text for phrase in [each for each in phrases if not each.title] or phrases)
    return max(forms, key=lambda text: (forms[text], text))


def _phrases(text: str, *, title: bool = False) -> list[_Phrase]:
    words = tokens(text)
    return [
        _placed(words, start, end, title)
        for end in range(1, len(words) + 1)
        for start in range(max(0, end - 2), end)
        if _nounlike(words[end - 1]) and (start == end - 1 or _qualifies(words[start]))
    ]


def _placed(words: Sequence[Token], start: int, end: int, title: bool) -> _Phrase:
    found, before = words[start:end], words[start - 1] if start else None
    ends = all(not token.keys and token.lower not in _OPENING for token in words[end : end + 1])
    if before is None:
        opens = title and not found[0].lower.endswith("ing")
    else:
        opens = before.lower in _BEFORE and (len(found) == 1 or not found[0].lower.endswith("ing"))
    return _Phrase(
        stems=tuple(token.keys[0] for token in found),
        text=" ".join(_written(token, plain=title or token is words[0]) for token in found),
        bare=(opens and ends) or (len(found) == 1 and _cased(found[0])),
        after=before.lower if ends and before is not None and before.content else "",
        title=title,
    )


def _content(token: Token) -> bool:
    """Whether the word is about something: no scaffolding, no idiom, no word of direction such as "improves"."""
    carries = token.content and not token.free and token.keys[0] not in _IDLE and side(token) is None
    return carries and len(token.text) > 2 and re.fullmatch(r"[\w-]+", token.text) is not None


def _qualifies(token: Token) -> bool:
    return _content(token) and not token.lower.endswith("ly")


def _nounlike(token: Token) -> bool:
    return _content(token) and (_cased(token) or token.lower in _NOUNS or _NO_NOUN.search(token.lower) is None)


def _cased(token: Token) -> bool:
    """Whether capitals are part of the word: an acronym or the like, "GPT-4" and not "Fine-Tuning"."""
    return any(part[1:] != part[1:].lower() for part in token.text.split("-"))


def _written(token: Token, *, plain: bool) -> str:
    """As it stands; `plain` where a capital tells nothing, in a title or first in a sentence."""
    return token.text.lower() if plain and not _cased(token) else token.text


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
