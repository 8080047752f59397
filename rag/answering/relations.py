"""Whether what is left of a sentence is still related as it was there: what is what, and what hangs on which.

A small model that leaves out a verb likes to put an "is" in its place ("a structure, a model and a crystal" becomes
"the structure is a model"), to hang a clause on by "which", to shorten "than those who were" to "than", or to say twice
what it has only once. Each rule gives a reason in words, or "". Word lists and neighbours, no model; what stands so in
the source is never a fault, and all hold for beginnings too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache
from itertools import combinations, dropwhile, pairwise
from typing import Final

from rag.answering.phrasing import ARTICLES
from rag.answering.tokens import MARKS, Token, surplus, tokens
from rag.text import STOP_WORDS

_BEING: Final = frozenset("is are was were be been being remain remains become becomes".split())
_PUT_IN: Final = frozenset("is are was were be".split())
_HAVING: Final = frozenset("has have had having".split())
_PASSED_OVER: Final = ARTICLES | frozenset(
    "not also both either still now thus then already very so too only all even more most less rather yet".split()
)
_IRREGULAR: Final = frozenset(
    """begun born bound bought brought built caught chosen cut done drawn driven dealt fed felt fit forgotten found
    frozen given grown held hidden hit kept known laid learnt led left lent lost made meant met paid proven put read
    run seen sent set shed shown shrunk spent split spread stored sought spoken taken taught thought told understood
    undergone won written""".split()
)
"""Participles that do not end in "ed", among the verbs that abstracts are made of."""

_JOINING: Final = frozenset("and or yet but".split())
_NAMING: Final = frozenset("called named denoted termed dubbed".split())
_POINTING: Final = ARTICLES | frozenset("its their this these".split())
"""What begins a noun phrase, and nothing else."""

_RELATIVE: Final = frozenset("which that who whom whose where when".split())
_MODAL: Final = frozenset("will would can could may might should must".split())
_STANDING_FOR: Final = frozenset("that those ones".split())
_PLACING: Final = frozenset("in for with by on at among when if without using from under".split())
"""What may follow a "than" as well as what stands for a noun: "longer than in others" for "than that of others"."""

_SAME_AS: Final = re.compile(r"\bsame (?P<what>[\w-]+) as\b", re.IGNORECASE)
_SAME: Final = re.compile(r"\bsame (?:[\w-]+ )?as\b", re.IGNORECASE)
_ADDING: Final = frozenset("and or hence thus".split())
_REPORTING: Final = frozenset(
    "argue suggest indicate show demonstrate highlight imply reveal establish confirm".split()
)
_EVIDENCE: Final = frozenset(
    """result results finding findings observation observations experiment experiments evaluation evaluations analysis
    analyses data study studies work paper evidence simulation simulations we""".split()
)
"""What a paper says its "and suggest that …" of."""


def unrelated(text: str, source: str) -> str:
    """How a text, or the beginning of one, relates what the sentence that it was made from does not."""
    return (
        equates(text, source)
        or hangs_on(text, source)
        or possesses(text, source)
        or compares(text, source)
        or suggests(text, source)
        or completes(text, source)
        or confines(text, source)
        or describes(text, source)
        or reorders(text, source)
        or doubles(text, source)
    )


def equates(text: str, source: str) -> str:
    """An "is" between what the sentence neither says to be, nor sets beside, nor does, to each other."""
    said, beside = _words(text), _beside(source)
    for place in [place for place, word in enumerate(said) if word in _PUT_IN]:
        word, (what, after) = said[place], [*_weighty(said[place + 1 :]), "", ""][:2]
        if not what[:1].isalpha() or what in STOP_WORDS or what in _said_to_be(source):
            continue
        if not _done(what, after, beside) and (_before(said[:place]), what) not in beside:
            return f"puts in '{word} {what}'"
        if what.endswith("ed") and what not in _NAMING and not _POINTING.isdisjoint(_next(what, said[place:])):
            return f"puts in '{word} {what}' before what it is done to"
    return ""


def _done(what: str, after: str, beside: Set[tuple[str, str]]) -> bool:
    """Whether the word tells what is done to something, and does not just describe what follows it."""
    return _participle(what) and (what in _NAMING or after in STOP_WORDS or (what, after) not in beside)


def _before(said: Sequence[str]) -> str:
    """What is said to be something: the word before its verb."""
    return next(reversed([word for word in _weighty(said) if word not in _RELATIVE | _MODAL]), "")


def _next(what: str, said: Sequence[str]) -> Sequence[str]:
    """The word right after the first `what`, alone in a list, or nothing."""
    return said[said.index(what) + 1 :][:1]


@lru_cache(maxsize=64)
def _said_to_be(source: str) -> Set[str]:
    """What the sentence says that something is: behind an "is" or an "as", or set beside it ("X, a Y", but no list).

    Kept, for a model that writes asks after every word, and always about the same few sentences.
    """
    held = _words(source)
    found = set[str]()
    for place, word in enumerate(held):
        following = held[place + 1 :]
        if word in _BEING:
            weighty = [*_weighty(following)]
            found.update(weighty[:1], _phrase(weighty))
        elif word in {"as", ":"} or (
            word in MARKS and following[:1] and following[0] in ARTICLES and not _list(following)
        ):
            found.update(_phrase(following))
    return found


def _list(following: Sequence[str]) -> bool:
    """Whether what follows a mark goes on to ", and the …": one of several things, and not what the first one is."""
    return any(
        (mark, joint) == (",", "and") and after in ARTICLES
        for mark, joint, after in zip(following, following[1:], following[2:], strict=False)
    )


def _phrase(words: Sequence[str]) -> Iterator[str]:
    """The words of the noun phrase that begins here, without its article."""
    for word in dropwhile(lambda word: word in ARTICLES, words):
        if word in _JOINING:
            continue
        if not word[:1].isalnum() or word in STOP_WORDS:
            return
        yield word


@lru_cache(maxsize=64)
def _beside(source: str) -> Set[tuple[str, str]]:
    """Words side by side, but for articles and adverbs between them."""
    return frozenset(pairwise(_weighty(_words(source))))


def hangs_on(text: str, source: str) -> str:
    """A clause hung on by a "which" that the sentence has not, or a "that" before no clause ("aware that the levee").

    What the sentence hangs on as "…, leading to it" may be told as "…, which leads to it".
    """
    said, held = _words(text), _words(source)
    if said.count("which") > sum(word in _RELATIVE for word in held) and not _participial(text, source):
        return "puts in 'which'"
    if said.count("that") > held.count("that"):
        pairs = set(pairwise(held))
        new = (after for that, after in pairwise(said) if that == "that" and (that, after) not in pairs)
        found = next((after for after in new if after in _POINTING | {"it", "they"}), "")
        return f"puts in 'that {found}'" if found else ""
    return ""


def _participial(text: str, source: str) -> bool:
    """Whether each "which" is followed by what the sentence has as a participle, or by nothing yet."""
    participles = {key for token in tokens(source) if _participle(token.lower) for key in token.keys}
    said = [token for token in tokens(text) if not token.lower.endswith("ly") and token.lower not in _PUT_IN]
    follow = (after for which, after in pairwise(said) if which.lower == "which")
    return all(not participles.isdisjoint(after.keys) for after in follow)


def possesses(text: str, source: str) -> str:
    """A "model's" of a "model" that has nothing in the sentence: "a child's two years" of "a child is two years"."""
    held = _words(source)
    for word in _words(text):
        owner = re.sub(r"['’]s$", "", word)
        if owner == word or word in held or owner not in held:
            continue
        if not any(before == "of" and owner in held[place : place + 5] for place, before in enumerate(held)):
            return f"puts in {word!r}"
    return ""


def compares(text: str, source: str) -> str:
    """A comparison with something else: "than aware" of "than those who were aware", "in the way" of "in the same way
    as"."""
    said, held = next(_after_than(text), ""), [*_after_than(source)]
    if said and len(held) == 1 and held[0] in _STANDING_FOR and said not in _STANDING_FOR | _PLACING:
        return f"says 'than {said}' for 'than {held[0]}'"
    alike = _SAME_AS.search(source)
    if alike and alike["what"].lower() in _words(text)[:-1] and not _SAME.search(text):
        return f"leaves out {alike[0]!r}"
    return ""


def _after_than(text: str) -> Iterator[str]:
    return (after for than, after in pairwise(_words(text)) if than == "than")


def suggests(text: str, source: str) -> str:
    """An "and suggest that …" that the sentence says of its results, said of what they are about."""
    said = _words(text)
    if _EVIDENCE.isdisjoint(said):
        for joint, word in pairwise(said):
            if joint in _ADDING and word.removesuffix("s") in _shown(source):
                return f"says {word!r} of something else than the results"
    return ""


@lru_cache(maxsize=64)
def _shown(source: str) -> Set[str]:
    """What the sentence says that results do, before a "that" and without its "s": "suggest", "show"."""
    held = _words(source)
    verbs = [(place, word.removesuffix("s")) for place, (word, that) in enumerate(pairwise(held)) if that == "that"]
    return {verb for place, verb in verbs if verb in _REPORTING and not _EVIDENCE.isdisjoint(held[:place])}


def completes(text: str, source: str) -> str:
    """A "has affected" of what the sentence says "can affect"."""
    said, held = _words(text), _words(source)
    possible = "can" in held and "can" not in said
    return "tells as done what can be" if possible and not _HAVING.isdisjoint(said) and _HAVING.isdisjoint(held) else ""


def confines(text: str, source: str) -> str:
    """An "only" put in: "only 24% fewer" of "24% fewer", but not "not only" of "not just"."""
    held = _words(source)
    put_in = "only" in _words(text) and not any(word in held for word in ("only", "just", "merely", "solely"))
    return "puts in 'only'" if put_in else ""


def describes(text: str, source: str) -> str:
    """An adverb made of an adjective, or the other way round: "previously methods" of "previous methods"."""
    said, held = _words(text), frozenset(_words(source))
    for word in said:
        adverb = word.endswith("ly") and word.removesuffix("ly") in held
        adjective = len(word) > len("all") and f"{word}ly" in held
        if word not in held and (adverb or adjective):
            return f"makes another word of its own: {word!r}"
    return ""


def reorders(text: str, source: str) -> str:
    """Two things of one kind told in the other order: "old and new tasks" of "new and old tasks"."""
    held = _kinds(source)
    for noun, told in _kinds(text).items():
        there = held.get(noun, ())
        for first, second in combinations(told, 2):
            once = first != second and there.count(first) == there.count(second) == 1
            if once and there.index(first) > there.index(second):
                return f"tells {first!r} before {second!r}"
    return ""


@lru_cache(maxsize=64)
def _kinds(text: str) -> Mapping[str, Sequence[str]]:
    """What stands right before each noun, in turn: "new" and "old" before "tasks"."""
    kinds = defaultdict[str, list[str]](list)
    for before, token in pairwise(tokens(text)):
        if token.keys and before.text not in MARKS and before.lower not in STOP_WORDS:
            kinds[token.keys[0]].append(before.lower)
    return kinds


def doubles(text: str, source: str) -> str:
    """A word that says little, said more often than in the sentence: "a proposed method is proposed"."""
    found = surplus(_light(text), _light(source))
    return f"says {found.text!r} more often than the sentence" if found else ""


@lru_cache(maxsize=64)
def _light(text: str) -> Sequence[Token]:
    """The words that `condensing.repetition` passes over, but for those that every sentence has."""
    return tuple(token for token in tokens(text) if token.lower == "only" or (token.keys and token.free))


def _participle(word: str) -> bool:
    return word.endswith(("ed", "ing")) or word in _IRREGULAR


def _weighty(words: Sequence[str]) -> Iterator[str]:
    return (word for word in words if word not in _PASSED_OVER and not word.endswith("ly"))


@lru_cache(maxsize=64)
def _words(text: str) -> Sequence[str]:
    """Kept, for every rule asks for them."""
    return tuple(token.lower for token in tokens(text))
