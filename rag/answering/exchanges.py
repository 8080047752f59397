"""What stands in another's place: a false sentence made of the right words.

"A GPT2 encoder and a RoBERTa decoder" for "a GPT2 decoder and a RoBERTa encoder" holds nothing that its source lacks.
Here the parts of a sentence are set against those of the source, and what replaces what against what it replaces there.
Knows nothing of papers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, dropwhile, pairwise, takewhile
from typing import Final

from rag.answering.claims import BE, clause, opposites, side
from rag.answering.tokens import Token, keys, matches, same, unbracketed
from rag.text import stem

CROSSED = 0.4
"""How much more of two parts must be held the other way round, of 2 where all of both is."""

FOLLOWING = 0.9
"""Share of the words that must follow the source in order once two of them have changed places."""

FEWEST = 6  # words from which their order tells

_PARTING = frozenset({",", ";", ":", "--", "—", "and", "or", "but", "while", "whereas"})
_LONGEST_SIDE = 6  # content words on either side of a replacement
_DETERMINING = frozenset("the a an its their such these those this all both some".split())
_REPLACING = re.compile(r"(?:replac|substitut)(?:e|es|ed|ing)")
_ROLES = """encoder/decoder teacher/student generator/discriminator query/document source/target input/output
question/answer training/testing train/test pretraining/finetuning pretrain/finetune upstream/downstream parent/child
mother/child patient/control case/control treatment/placebo cause/effect sender/receiver buyer/seller
producer/consumer predator/prey host/parasite writer/reader speaker/listener row/column width/depth
precision/recall""".split()

_COUNTERPARTS: dict[str, set[str]] = {}
for _pair in _ROLES:
    _one, _other = (stem(word) for word in _pair.split("/"))
    _COUNTERPARTS.setdefault(_one, set()).add(_other)
    _COUNTERPARTS.setdefault(_other, set()).add(_one)


def exchanged(said: Sequence[Token], held: Sequence[Sequence[Token]], available: frozenset[str]) -> str:
    """What stands in another's place in `said`, by the sentences `held` and the keys `available`; "" for nothing."""
    return (
        _parts_exchanged(said, held)
        or _transposed(said, held)
        or _replacement_turned(said, held)
        or _agent_turned(said, held)
        or _renamed(said, held, available)
    )


def _parts_exchanged(said: Sequence[Token], held: Sequence[Sequence[Token]]) -> str:
    """Two names, or two counterparts, each in the part of the sentence that the source has about the other."""
    ours, theirs = _parts(said), [keys(part) for sentence in held for part in _parts(sentence)]
    placed = [(number, token) for number, part in enumerate(ours) for token in part if _movable(token)]
    for (here, one), (there, other) in combinations(placed, 2):
        if here == there or not _rivals(one, other):
            continue
        first, second = (_about(ours[number], one, other) for number in (here, there))
        gained = _share(one, second, theirs) - _share(one, first, theirs)
        gained_too = _share(other, first, theirs) - _share(other, second, theirs)
        if min(gained, gained_too) > 0 and gained + gained_too > CROSSED:
            return f"{one.text!r} stands where the source has {other.text!r}"
    return ""


def _parts(sequence: Sequence[Token]) -> list[list[Token]]:
    """What lies between commas and words that join; a bracket belongs to what it follows, and ends it."""
    parts: list[list[Token]] = [[]]
    inside = False
    for token in sequence:
        if token.text in {"(", ")"}:
            inside = token.text == "("
            parts += [] if inside else [[]]
        elif token.lower in _PARTING and not inside:
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def _movable(token: Token) -> bool:
    return token.content and (token.name or bool(_counterparts(token)))


def _rivals(one: Token, other: Token) -> bool:
    """Whether one could stand for the other: two different names, or two words that are counterparts."""
    if one.name or other.name:
        return one.name and other.name and not set(one.keys) & set(other.keys)
    return bool(_counterparts(one) & set(other.keys))


def _counterparts(token: Token) -> set[str]:
    return _COUNTERPARTS.get(token.keys[0], set()) | opposites(token)


def _about(part: Sequence[Token], *movers: Token) -> list[Token]:
    """What a part says, without its names and what may have moved."""
    moved = {key for token in movers for key in token.keys}
    return [
        token for token in part if token.content and not token.free and not token.name and not moved & set(token.keys)
    ]


def _share(mover: Token, about: Sequence[Token], parts: Sequence[set[str]]) -> float:
    """The share of `about` in that part with the mover which has most of it; parts are given by their keys."""
    found = (sum(matches(token, part) for token in about) for part in parts if part & set(mover.keys))
    return max(found, default=0) / len(about) if about else 0.0


def _transposed(said: Sequence[Token], held: Sequence[Sequence[Token]]) -> str:
    """Two words that would only have to change places for the whole to follow the one sentence that holds it.

    Passive voice exchanges places, and means the same.
    """
    if len(held) > 1 or _passive(said) != _passive(held[0]):
        return ""
    ours, theirs = ([token for token in each if token.content and not token.free] for each in (said, held[0]))
    order = [token.keys[0] for token in theirs]
    known = [token.keys[0] for token in ours if token.keys[0] in set(order)]
    kept, needed = _in_order(known, order), FOLLOWING * len(ours)
    if kept == len(known) or len(known) < max(needed, FEWEST):
        return ""
    for one, other in combinations(dict.fromkeys(known), 2):
        places = {one: other, other: one}
        restored = _in_order([places.get(key, key) for key in known], order)
        if restored >= max(needed, kept + 2):
            texts = {token.keys[0]: token.text for token in reversed(ours)}
            return f"{texts[one]!r} stands where the source has {texts[other]!r}"
    return ""


def _passive(sequence: Sequence[Token]) -> bool:
    return any(token.lower in BE for token in sequence)


def _in_order(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    longest = [0] * (len(theirs) + 1)
    for key in ours:
        diagonal = 0
        for place, other in enumerate(theirs, 1):
            diagonal, longest[place] = (
                longest[place],
                (diagonal + 1 if key == other else max(longest[place], longest[place - 1])),
            )
    return longest[-1]


def _agent_turned(said: Sequence[Token], held: Sequence[Sequence[Token]]) -> str:
    """ "A is reduced by B" where the source has "reduces B": what was done to is made to do it."""
    for place, verb in enumerate(said[:-1]):
        if not verb.content or said[place + 1].lower != "by" or not _passive(said[max(0, place - 3) : place]):
            continue
        agent = next((token for token in clause(said[place + 2 : place + 8]) if token.content), None)
        if agent is not None and _undergoes(agent, verb, held) and not _acts(agent, verb, held):
            return f"what {agent.text!r} does is done to it in the source"
    return ""


def _undergoes(agent: Token, verb: Token, held: Sequence[Sequence[Token]]) -> bool:
    """Whether the word is the object of the verb in the active voice."""
    return any(
        any(same(each, agent) for each in _object(sentence[place + 1 : place + 7]))
        for sentence in held
        for place, token in enumerate(sentence)
        if same(token, verb) and not _passive(sentence[max(0, place - 3) : place])
    )


def _object(following: Sequence[Token]) -> Sequence[Token]:
    """The words after a verb, without articles in front, up to the next that carries nothing: "errors" of "the errors
    in"."""
    bare = list(dropwhile(lambda token: token.lower in _DETERMINING, following))
    return list(takewhile(lambda token: bool(token.keys), bare))


def _acts(agent: Token, verb: Token, held: Sequence[Sequence[Token]]) -> bool:
    """Whether the word also stands before the verb, or behind its "by"."""
    return any(
        any(same(each, agent) for each in (*sentence[:place], *_behind_by(sentence[place + 1 : place + 8])))
        for sentence in held
        for place, token in enumerate(sentence)
        if same(token, verb)
    )


def _behind_by(following: Sequence[Token]) -> Sequence[Token]:
    return clause(following[1:]) if following and following[0].lower == "by" else ()


@dataclass(frozen=True, slots=True)
class _Replacement:
    """The words for what goes and those for what comes, without those that both share."""

    old: frozenset[str]
    new: frozenset[str]

    def turns(self, other: _Replacement) -> bool:
        """Whether it goes the other way than `other`."""
        return bool(self.old & other.new and self.new & other.old) and not self.old & other.old


def _replacement_turned(said: Sequence[Token], held: Sequence[Sequence[Token]]) -> str:
    theirs = [replacement for sentence in held for replacement in _replacements(sentence)]
    turned = any(ours.turns(other) for ours in _replacements(said) for other in theirs)
    return "what replaces what is the wrong way round" if turned else ""


def _replacements(sequence: Sequence[Token]) -> Iterator[_Replacement]:
    """ "Replace A with B", "A is replaced by B", "B to replace A", "substitute B for A", "B instead of A"."""
    bare = unbracketed(sequence)
    for place, token in enumerate(bare):
        if token.lower not in {"in", "instead"} and not _REPLACING.fullmatch(token.lower):
            continue
        before, after = _before(bare, place), clause(bare[place + 1 : place + 13])
        if _REPLACING.fullmatch(token.lower):
            yield from _by_verb(token, before, after)
        following = [each.lower for each in bare[place : place + 3]]
        if following[:2] == ["instead", "of"]:
            yield _replacement(after[1:], before)
        elif following == ["in", "place", "of"]:
            yield _replacement(after[2:], before)
        elif following in (["in", "favor", "of"], ["in", "favour", "of"]):
            yield _replacement(before, after[2:])


def _by_verb(verb: Token, before: Sequence[Token], after: Sequence[Token]) -> Iterator[_Replacement]:
    hinges = {"with", "by"} if verb.lower.startswith("replac") else {"with", "by", "for"}
    hinge = next((place for place, token in enumerate(after) if token.lower in hinges), None)
    if hinge is None:
        if verb.lower != "replaced" and before:
            yield _replacement(after, before)
    elif after[hinge].lower == "for":
        yield _replacement(after[hinge + 1 :], after[:hinge])
    else:
        yield _replacement(after[:hinge] or before, after[hinge + 1 :])


def _before(sequence: Sequence[Token], place: int) -> list[Token]:
    """What stands before a place, within its clause, the nearest first."""
    return clause(sequence[max(0, place - 12) : place][::-1])


def _replacement(old: Sequence[Token], new: Sequence[Token]) -> _Replacement:
    gone, come = (frozenset(_telling(each)) for each in (old, new))
    return _Replacement(gone - come, come - gone)


def _telling(part: Sequence[Token]) -> list[str]:
    return [token.keys[0] for token in part if token.content and not token.free][:_LONGEST_SIDE]


def _renamed(said: Sequence[Token], held: Sequence[Sequence[Token]], available: frozenset[str]) -> str:
    """ "Beam search" where the source knows no search but "Monte Carlo Tree Search"."""
    for one, head in pairwise(said):
        unknown = one.content and not one.free and not matches(one, available)
        if unknown and head.content and head.text.islower() and _only_named(head, held):
            return f"the source does not say {one.text + ' ' + head.text!r}"
    return ""


def _only_named(head: Token, held: Sequence[Sequence[Token]]) -> bool:
    """Whether the word stands nowhere but at the end of a name of several words."""
    places = [
        (sentence, place)
        for sentence in held
        for place, token in enumerate(sentence)
        if set(token.keys) & set(head.keys)
    ]
    return bool(places) and all(
        place
        and sentence[place].name
        and sentence[place - 1].name
        and not any(t.name for t in sentence[place + 1 : place + 2])
        for sentence, place in places
    )


def swapped(
    text: Sequence[Token],
    source: Sequence[Token],
    named: frozenset[str] | set[str],
    subject: frozenset[str] = frozenset(),
) -> tuple[str, str]:
    """A word of `text` and the word of `source` whose place it took, or two empty strings.

    It took it where the words on both sides of the two are the same; for two names one side is enough. `named`
    holds the keys of all that may be said: a word among them may stand for what the source only points to; `subject`
    those of the names that may be said anywhere.
    """
    said, held = ([token for token in sequence if token.keys] for sequence in (text, source))
    spoken, there = keys(text), keys(source)
    gone = [place for place, token in enumerate(held) if _undirected(token) and not matches(token, spoken)]
    for place, token in enumerate(said):
        if not _undirected(token) or matches(token, there) or matches(token, subject):
            continue
        for other in gone:
            if _took_place(said, place, held, other, known=matches(token, named)):
                return token.text, held[other].text
    return "", ""


def _undirected(token: Token) -> bool:
    return token.content and not token.free and side(token) is None


def _took_place(said: Sequence[Token], place: int, held: Sequence[Token], other: int, *, known: bool) -> bool:
    ours, theirs = said[place], held[other]
    if same(ours, theirs) or _kin_names(ours, theirs):
        return False
    left = place > 0 and other > 0 and same(said[place - 1], held[other - 1])
    right = place + 1 < len(said) and other + 1 < len(held) and same(said[place + 1], held[other + 1])
    if ours.name and theirs.name:
        return (left or right) and ours.text[0].lower() != theirs.text[0].lower() if known else left or right
    return left and right and not known and _noun(ours) and _noun(theirs) and not _kin(ours, theirs)


def _kin_names(one: Token, other: Token) -> bool:
    """One name with something stuck to it ("IRAP's", "Reb1sites")."""
    shorter, longer = sorted((one.lower, other.lower), key=len)
    return longer.startswith(shorter) and not longer[len(shorter) :].isdigit() and shorter != longer


def _noun(token: Token) -> bool:
    """Whether the word may be a noun or a telling adjective, by what it does not look like."""
    return len(token.lower) > 3 and not token.lower.endswith(_VERBAL) and token.lower not in _GENERAL


_VERBAL: Final = ("ed", "ing", "ly", "es", "ts", "ds", "rs", "ks", "ps", "ns", "able", "ible")
_GENERAL: Final = frozenset(
    """next alongside alone along together simple better long held left still come need needs acts part less more many
    much fewer like unlike whereas brief full able done kept seen gave give form large small region superfamily greater
    vary next fell rose whole entire explain possible unable empowered people individuals subjects patients
    patient similar different behind sound meet become least most such similarly main major key important crucial
    central vital essential necessary sufficient substantial strong weak considerable marked clear wide broad number
    range share half rest way means step role effect impact influence outcome result""".split()
)


def _kin(one: Token, other: Token) -> bool:
    """Whether two words are forms of one ("deletion", "deleted"), as far as their beginnings tell."""
    return one.lower[:4] == other.lower[:4]
