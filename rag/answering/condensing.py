"""Whether a condensed sentence, or its beginning, only leaves out: what a small model gets wrong when it condenses.

`grounding` asks whether everything said is somewhere in the source. A small model that condenses fails otherwise: out
of the right words it makes a sentence that joins what stands apart, credits the authors' doing to their method, cuts a
list short as if it were whole, or has lost its verb (`omissions`). Each rule gives a reason in words, or "". `strays`,
`brought_in` and `distorts` hold for beginnings too, so that a model can be kept to them while it writes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Final, NamedTuple

from rag.answering.omissions import lacks
from rag.answering.phrasing import ARTICLES, COORDINATING, OPENS_LIST, clumsy
from rag.answering.tokens import MARKS, Quantity, Token, content, keys, matches, surplus, tokens
from rag.answering.verbs import VERBS

NEAR: Final = 2
"""Content words from one to the next that still counts as beside it."""

COPIED: Final = 12
"""Words in a row that make a quotation of a statement, whoever says that it is not one."""

_WORD = re.compile(r"[\w%]+(?:[.,'’-][\w%]+)*")
_BOUNDS: Final = {word: word for word in "over under about than least most to".split()} | {
    "above": "over",
    "below": "under",
    "around": "about",
}
"""What bounds the number after it, "over 200", "up to 85%", "at least two", by the word that says the same."""

_LIMITS: Final = frozenset(
    """only often sometimes usually typically generally mostly mainly largely partly partially potentially possibly
    probably likely perhaps relatively nearly almost roughly approximately some most few marginally slightly more less
    fewer""".split()
)
"""Words that narrow the one after them, which says more without them."""

_EMPHASIS: Final = frozenset(
    """new novel simple strong extensive comprehensive significant substantial remarkable notable considerable key
    crucial critical important main major recent original proposed powerful innovative promising sophisticated popular
    thorough straightforward striking surprising impressive excellent multiple different overall model models framework
    frameworks system systems algorithm algorithms task tasks setting settings process paradigm strategy strategies
    dataset datasets benchmark benchmarks successfully highly greatly substantially extensively rigorously efficiently
    newly further remarkably dramatically considerably carefully empirically experimentally theoretically
    simultaneously automatically commonly easily readily importantly interestingly variety range
    series field problem number form use""".split()
)
"""Words that praise, or that say of what kind a name is: what is kept says the same without them."""

_POINTS = re.compile(
    r"\b(?:we|our|ours|it|its|they|their|them|(?:this|these|the) (?:\w+ )?(?:method|approach|model|framework|system|"
    r"technique|strategy|algorithm|paper|work|study|survey|review|article|benchmark|data ?set|architecture|paradigm|"
    r"pipeline|library|encoder|network|scheme|procedure|design|corpus|collection|suite|agent)s?)\b",
    re.IGNORECASE,
)
_PASSED: Final = frozenset("have has had also then first further can could do did will now not".split())
_OWN: Final = frozenset({"our", "this", "proposed"})
_PASSIVE: Final = frozenset("is are was were be been being to and or".split())


class _Place(NamedTuple):
    """Where a content word stands: its number, and whether a mark stands right before it, or right after."""

    word: int
    opens: bool
    closes: bool


def astray(text: str, source: str, title: str, before: str) -> str:
    """How a text, or the beginning of one, departs from the sentence that it was made from."""
    return (
        strays(text, source)
        or brought_in(text, source, title, before)
        or distorts(text, source)
        or clumsy(text, source)
    )


def departure(text: str, source: str, title: str, before: str) -> str:
    """How a whole text departs from it, by all of the rules."""
    return astray(text, source, title, before) or lacks(text, source)


def strays(text: str, source: str) -> str:
    """How the text strays from the words and the order of the sentence that it was made from."""
    return copying(text, source) or repetition(text, source) or joining(text, source)


def distorts(text: str, source: str) -> str:
    """How the text says more than the sentence does, or something else, for want of what it leaves out."""
    return (
        cut_list(text, source)
        or unlimited(text, source)
        or acting(text, source)
        or renaming(text, source)
        or misspelt(text, source)
        or renumbered(text, source)
        or unbounded(text, source)
    )


def copied_words(text: str, source: str) -> int:
    """The longest run of words that `text` shares with `source`, ignoring case and punctuation."""
    said, held = ([word.lower() for word in _WORD.findall(each)] for each in (text, source))
    longest = 0
    runs = [0] * (len(held) + 1)
    for word in said:
        runs = [0, *(runs[place] + 1 if word == other else 0 for place, other in enumerate(held))]
        longest = max(longest, *runs)
    return longest


def copying(text: str, source: str) -> str:
    """A run of words that makes a quotation without its marks of what calls itself a wording."""
    copied = copied_words(text, source)
    return f"copies {copied} words in a row" if copied >= COPIED else ""


def repetition(text: str, source: str) -> str:
    """A content word that the text says more often than the source does, as garbled sentences do."""
    repeated = surplus(content(text), content(source))
    return f"repeats {repeated.text!r}" if repeated else ""


def joining(text: str, source: str) -> str:
    """Two content words side by side in the text that stand apart, or the other way round, in the source.

    Garbled sentences are made of the right words, wrongly joined. Words that the source does not have (the subject,
    named from the title) are no joint.
    """
    places: dict[str, list[_Place]] = defaultdict(list)
    for key, place in _places(source):
        places[key].append(place)
    for one, other in pairwise(content(text)):
        known = one.keys[0] in places and other.keys[0] in places
        if known and not _beside(places[one.keys[0]], places[other.keys[0]]):
            return f"joins {one.text!r} and {other.text!r}, which stand apart in the sentence it was made from"
    return ""


def brought_in(text: str, source: str, title: str, before: str) -> str:
    """A content word that neither the source nor the title has, and that is no name from the sentence before.

    Leaving out needs no words of one's own; the subject's name comes from the title, or is a name.
    """
    named = keys(token for token in tokens(before) if token.name)
    held = keys(tokens(source)) | keys(tokens(title)) | named
    found = next((token for token in content(text) if not matches(token, held)), None)
    return f"brings in {found.text!r}" if found else derived(text, f"{source} {title} {before}")


def derived(text: str, source: str) -> str:
    """A word made into another one of the same stem: "continuous" of "continual"; its inflections are the same word."""
    inflected = _inflected(source)
    for token in content(text):
        if token.lower.isalpha() and inflected.isdisjoint(_forms(token.lower)):
            return f"makes another word of its own: {token.text!r}"
    return ""


@lru_cache(maxsize=64)
def _inflected(source: str) -> frozenset[str]:
    """The forms of all its words; kept, for a model that writes asks after every word."""
    return frozenset(form for token in tokens(source) for form in _forms(token.lower))


@lru_cache(maxsize=4096)
def _forms(word: str) -> frozenset[str]:
    """What the word may be an inflection of, itself included: "tried" of "try", "stopping" of "stop"."""
    bare = {word, *(word.removesuffix(ending) for ending in ("s", "es", "d", "ed", "ing", "ly"))}
    doubled = {each[:-1] for each in bare if len(each) > 3 and each[-1] == each[-2]}
    return frozenset(
        each for one in bare | doubled for each in (one, f"{one}e", re.sub("i$", "y", one)) if len(each) > 1
    )


def cut_list(text: str, source: str) -> str:
    """An "and" before what is not the last of a list: "A and B" for "A, B and C", unless it is open ("such as")."""
    if OPENS_LIST.search(text):
        return ""
    said, held = ([token for token in tokens(each) if token.lower not in ARTICLES] for each in (text, source))
    joined, going_on = set[str](), set[str]()
    for before, token, after in zip([None, *held], held, [*held[1:], None], strict=False):
        if before is not None and before.lower in COORDINATING:
            joined.add(_singular(token))
        if after is not None and after.lower in {",", *COORDINATING}:
            going_on.add(_singular(token))
    for one, other in pairwise(said):
        if one.lower in COORDINATING and _singular(other) in going_on - joined:
            return f"ends a list with {other.text!r} that goes on"
    return ""


def unlimited(text: str, source: str) -> str:
    """What narrows a word that is kept, left out before it: "heads" of "retrieval heads", "cities" of "two cities"."""
    said, narrowed = tokens(text), _narrowed(source)
    for token in said:
        places = narrowed.get(token.key, []) if token.keys else []
        if places and not any(all(_said(one, said) for one in narrowing) for narrowing in places):
            return f"leaves out {places[0][0].text!r}"
    return ""


@lru_cache(maxsize=64)
def _narrowed(source: str) -> Mapping[str, Sequence[Sequence[Token]]]:
    """What may not go without each word, by its key, for every place where it stands.

    Kept, for a model that writes asks after every word, and always about the same few sentences.
    """
    held, narrowed = tokens(source), defaultdict[str, list[list[Token]]](list)
    for place, token in enumerate(held):
        narrowed[token.key].append([one for one in _narrowing(held, place) if not _may_go(one)])
    return dict(narrowed)


def _narrowing(held: Sequence[Token], place: int) -> Iterator[Token]:
    """The word right before, and what it is "of": "retrieval" of "retrieval heads", "idea" of "the idea of tuning".

    "Our miner finds" speaks of the paper's own, which has a name to be called by.
    """
    if place and not any(token.lower in _OWN for token in held[max(0, place - 4) : place]):
        yield held[place - 1]
    before = [token for token in held[:place] if token.lower not in ARTICLES]
    if len(before) > 1 and before[-1].lower == "of":
        yield before[-2]


def _may_go(one: Token) -> bool:
    """Whether a word may be left out though the one that it stands before is kept."""
    if one.lower in _LIMITS or one.quantity is not None:
        return False
    return not one.content or one.free or one.lower in _EMPHASIS


def _said(one: Token, said: Sequence[Token]) -> bool:
    if one.quantity is None:
        return any(token.key == one.key for token in said)
    return any(token.quantity is not None and token.quantity.agrees(one.quantity) for token in said)


def acting(text: str, source: str) -> str:
    """What the authors did ("we curated"), said of something else, or of nobody."""
    held = tokens(source)
    times = Counter(token.keys[0] for token in held if token.keys)
    done = {verb.keys[0] for verb in _after_we(held) if verb.keys and times[verb.keys[0]] == 1}
    for before, token in pairwise([Token(""), *filter(_counts, tokens(text))]):
        if not token.keys or token.keys[0] not in done or token.lower.endswith("ing"):
            continue
        joined = before.lower in COORDINATING and _third_person(token, held)
        if joined or before.lower not in _PASSIVE | ARTICLES:
            return f"says of something else what the authors did ({token.text!r})"
    return ""


def _third_person(token: Token, held: Sequence[Token]) -> bool:
    """Whether a verb that the sentence has in another form ends in "s": no participle, whatever stands before it."""
    return token.lower.endswith("s") and all(token.lower != each.lower for each in held)


def renaming(text: str, source: str) -> str:
    """A name that the sentence does not have, where it does not point back at anything by which it may be meant."""
    if _POINTS.search(source):
        return ""
    held = keys(tokens(source))
    found = next((token for token in content(text) if not matches(token, held)), None)
    return f"names {found.text!r}, which the sentence does not speak of" if found else ""


def misspelt(text: str, source: str) -> str:
    """A name that the source writes otherwise: "Libri-Speech" for "LibriSpeech", "ImageNet" for "ImageNet-R"."""
    held = {_singular(token) for token in tokens(source)}
    names = {_singular(token).replace("-", ""): token for token in tokens(source) if token.name}
    parts = {part: token for token in names.values() for part in _singular(token).split("-")}
    for token in tokens(text):
        name = names.get(_singular(token).replace("-", "")) or (parts.get(_singular(token)) if token.name else None)
        if name is not None and _singular(token) not in held:
            return f"writes {token.text!r} for {name.text!r}"
    return ""


def renumbered(text: str, source: str) -> str:
    """A number told before one that it follows in the sentence, or twice: it may be said of what another belongs to."""
    held = [token.quantity for token in tokens(source) if token.quantity is not None]
    left = iter(held)
    for token in tokens(text):
        number = token.quantity
        if number is None or not any(map(number.agrees, held)):
            continue
        if not any(map(number.agrees, left)):
            return f"tells {token.text!r} in another order than the sentence"
    return ""


def unbounded(text: str, source: str) -> str:
    """A bound left out before a number that is kept, or another in its place: "200 tasks" of "over 200 tasks"."""
    held = list(_bounds(source))
    for said, number in _bounds(text):
        bounds = [bound for bound, other in held if other.agrees(number)]
        if bounds and all(bounds) and said not in {*bounds, "than"}:  # "more than" may be said for "over"
            done = f"says {said!r} for" if said else "leaves out"
            return f"{done} {bounds[0]!r} before a number"
    return ""


def _bounds(text: str) -> Iterator[tuple[str, Quantity]]:
    """Every number, with the word before it that bounds it, or ""."""
    for before, token in pairwise([Token(""), *tokens(text)]):
        if token.quantity is not None:
            yield _BOUNDS.get(before.lower, ""), token.quantity


def _singular(token: Token) -> str:
    return token.lower.removesuffix("'s").removesuffix("s")


def _after_we(held: Sequence[Token]) -> Iterator[Token]:
    """What the authors do: the words after "we" and "us to", and verbs after an "and" behind them."""
    seen = False
    words = list(filter(_counts, held))
    for before, token in pairwise([Token(""), *words]):
        if before.lower == "we" or (seen and before.lower in COORDINATING and token.lower in VERBS):
            yield token
        seen = seen or before.lower == "we"
    for first, second, third in zip(words, words[1:], words[2:], strict=False):
        if (first.lower, second.lower) == ("us", "to"):
            yield third


def _counts(token: Token) -> bool:
    """Whether a word is neither adverb nor auxiliary."""
    return token.lower not in _PASSED and not token.lower.endswith("ly")


def _places(source: str) -> Iterator[tuple[str, _Place]]:
    """Every content word by its key, with where it stands."""
    word, opens = 0, True
    found = tokens(source)
    for token, following in zip_longest(found, found[1:]):
        if token.text in MARKS:
            opens = True
        elif token.content and not token.free:
            closes = following is None or following.text in MARKS
            yield token.keys[0], _Place(word, opens, closes)
            word, opens = word + 1, False


def _beside(ones: Sequence[_Place], others: Sequence[_Place]) -> bool:
    """Whether the other follows at once, after one word that was left out, or after whole parts between marks."""
    return any(
        0 < after.word - before.word <= NEAR or (after.word > before.word and before.closes and after.opens)
        for before in ones
        for after in others
    )
