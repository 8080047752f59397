"""Whether a condensed sentence, or its beginning, still reads as it was meant: how what is left of it was joined.

It is taught to leave out, and what remains does not always fit: then it puts in an article, a "there is" or an "is
for" that no rule about content sees, or tells of all what was told of some. Each rule gives a reason in words, or "".
Rules and word lists, no model; what stands so in the source is never a fault.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from rag.answering.tokens import MARKS, Token, tokens
from rag.answering.verbs import VERBS
from rag.text import STOP_WORDS

ARTICLES: Final = frozenset({"the", "a", "an"})
_COPULAS: Final = frozenset("is are was were".split())
_PREPOSITIONS: Final = frozenset(
    "for through with to in on of by at from under across during via into onto within without".split()
)
_SUBJECTS: Final = frozenset("we to who they".split())
_POINTERS: Final = frozenset({"this", "it"})
_THIRD_PERSON: Final = re.compile(r"\w{2,}(?<![sui])s")
_NEVER_LAST: Final = (
    _COPULAS | _PREPOSITIONS | ARTICLES | frozenset("and or that which be been has have had as than but done".split())
)
_INDEFINITE: Final = frozenset({"a", "an"})
_MASS: Final = frozenset(
    """data information knowledge performance training pre-training pretraining fine-tuning tuning learning reasoning
    research text memory speech noise evidence language inference treatment survival mortality exposure risk care health
    disease therapy activity growth""".split()
)
"""Nouns that read as well without an article, among those that abstracts are made of."""

COORDINATING: Final = frozenset({"and", "or"})
_DETERMINERS: Final = frozenset(
    """this that these those its their his her our your each every any some no such both either neither another all one
    many few several most more which whose what""".split()
)
_NARROWING: Final = frozenset("these those such our".split())
_FINDINGS: Final = frozenset("results findings observations experiments analyses data".split())
"""What a paper shows its claims by: "results show" are its own, whatever stands before."""

_PURPOSE: Final = re.compile(
    r"(?:in order )?to (?:\w+ly )?(?:address|solve|tackle|overcome|mitigate|alleviate|fill|bridge|facilitate|resolve|"
    r"close|remedy|investigate|study|answer) (?:the|this|these|those|such|it|them)\b[^,]{0,60},",
    re.IGNORECASE,
)
_DEGREES: Final = frozenset("more most not also".split())
_NOT_BARE: Final = ARTICLES | COORDINATING | _DETERMINERS
_THERE: Final = re.compile(r"\bthere (?:is|are|was|were|has been|have been)\b", re.IGNORECASE)
_IT_IS: Final = re.compile(
    r"\bit (?:is|was) (?:(?:more|also|then|thus|further|\w+ly) )*\w+ed "
    rf"(?!(?:that|how|whether|why|what|when|and|or|but|as|using|{'|'.join(sorted(_PREPOSITIONS))})\b)\w",
    re.IGNORECASE,
)
_JOINTS: Final = _PREPOSITIONS | COORDINATING | _COPULAS
"""Words that no article goes before; but "an in vivo trial" is well."""

_LATIN: Final = frozenset("vivo vitro situ silico utero".split())
_BEFORE_NO_VERB: Final = _PREPOSITIONS | frozenset("behind about between among against upon beyond".split())

_DENYING: Final = frozenset({"not", "so"})
_EMPHATIC: Final = frozenset("do does did".split())
_EXAMPLES: Final = re.compile(
    r"\b(?:including|such as|e\.g\.?,?|like),?\s+(?:(?:the|an?)\s+)?(?P<first>[\w-]+)", re.IGNORECASE
)
OPENS_LIST: Final = re.compile(r"\b(?:includ\w+|such as|e\.g|like|among|for example|for instance)\b", re.IGNORECASE)
"""What says of a list that it is not whole."""


def clumsy(text: str, source: str) -> str:
    """How a text, or the beginning of one, joins badly what is left of the sentence that it was made from."""
    return (
        stray_there(text, source)
        or stray_it(text, source)
        or stray_do(text, source)
        or stray_of(text, source)
        or stray_article(text, source)
        or rearticled(text, source)
        or stray_copula(text, source)
        or closed(text, source)
        or widened(text, source)
        or subjectless(text, source)
        or hanging(text)
    )


@lru_cache(maxsize=64)
def _pairs(source: str) -> frozenset[tuple[str, str]]:
    """Words side by side, in lower case; kept, for a model that writes asks after every word."""
    return frozenset(pairwise(token.lower for token in tokens(source)))


def stray_there(text: str, source: str) -> str:
    """A "there is" for what the sentence says that somebody did."""
    return "puts in a 'there is'" if _THERE.search(text) and not _THERE.search(source) else ""


def stray_it(text: str, source: str) -> str:
    """An "it is conducted a study", for "we conduct a study"."""
    found = None if re.search(r"\bit (?:is|was)\b", source, re.IGNORECASE) else _IT_IS.search(text)
    return f"puts in {found[0][:-2]!r}" if found else ""


def stray_do(text: str, source: str) -> str:
    """A "does" before the verb that the sentence has without one."""
    said, held = ([token.lower for token in tokens(one)] for one in (text, source))
    emphatic = _EMPHATIC if _EMPHATIC.isdisjoint(held) else ()
    found = next((done for done, after in pairwise(said) if done in emphatic and after not in _DENYING), None)
    return f"puts in {found!r}" if found else ""


def stray_of(text: str, source: str) -> str:
    """An "of" between a number and what it counts: "30 billion of parameters", but not "30 billion of the …"."""
    held, said = _pairs(source), tokens(text)
    for number, word, after in zip(said, said[1:], said[2:], strict=False):
        put_in = word.lower == "of" and number.quantity is not None and (number.lower, "of") not in held
        if put_in and after.lower not in _NOT_BARE and after.content:
            return f"puts in 'of' behind {number.text!r}"
    return ""


def stray_article(text: str, source: str) -> str:
    """An article before a mark, a joint or what the sentence has as a verb: "this translates", "we first use"."""
    done, held = _done(source), _pairs(source)
    said = tokens(text)
    for place, (article, word) in enumerate(pairwise(said)):
        named = place > 0 and article.text == "A"  # a letter: "group A"
        latin = any(after.lower in _LATIN for after in said[place + 2 : place + 3])
        unfit = word.text in MARKS or word.lower in done or (word.lower in _JOINTS and not latin)
        put_in = article.lower in ARTICLES and not any((each, word.lower) in held for each in ARTICLES)
        if put_in and unfit and not named:
            return f"puts in {article.lower!r} before {word.text!r}"
    return ""


@lru_cache(maxsize=64)
def _done(source: str) -> frozenset[str]:
    """The words that are verbs wherever they stand: behind "we", or in the third person behind "it" or "this".

    Kept, for a model that writes asks after every word, and always about the same few sentences.
    """
    verbs = defaultdict[str, bool](lambda: True)
    for before, word in pairwise(["", *(token.lower for token in tokens(source))]):
        verbs[word] &= before in _SUBJECTS or (before in _POINTERS and _THIRD_PERSON.fullmatch(word) is not None)
    return frozenset(word for word, always in verbs.items() if always)


def rearticled(text: str, source: str) -> str:
    """An article put in or left out between words that are kept: the cheapest way not to copy, and it reads badly.

    "On large corpus" of "on a large corpus", "enjoys a memory efficiency" of "enjoys memory efficiency".
    """
    held = _articles(source)
    said = [Token(""), *tokens(text)]
    for before, article, word in zip(said, said[1:], said[2:], strict=False):
        if article.lower in ARTICLES and (before.lower, word.lower) in held.never_led:
            return f"puts in {article.lower!r} before {word.text!r}"
    for before, word in pairwise(said):
        joint = not before.content and before.text not in MARKS and before.lower not in _NOT_BARE
        if (before.lower, word.lower) in held.led or (joint and word.lower in held.always_led):
            return f"leaves out the article before {word.text!r}"
    return ""


class _Articles(NamedTuple):
    """The words of a sentence, in lower case, by how they go with articles: those that never have one, each behind the
    word before it; those that need theirs, behind the word before it; and those that need one wherever they stand."""

    never_led: Set[tuple[str, str]]
    led: Set[tuple[str, str]]
    always_led: Set[str]


@lru_cache(maxsize=64)
def _articles(source: str) -> _Articles:
    """Kept, for a model that writes asks after every word, and always about the same few sentences."""
    held = ["", *(token.lower for token in tokens(source)), ""]
    with_article = {word for article, word in pairwise(held) if article in ARTICLES}
    bare = {(before, word) for before, word in pairwise(held) if before not in ARTICLES}
    needed = {
        (held[place - 2], word)
        for place, (article, word) in enumerate(pairwise(held), 1)
        if article in ARTICLES and word not in STOP_WORDS and not _spares(held, place)
    }
    return _Articles(
        never_led={(before, word) for before, word in bare if word not in with_article},
        led={(before, word) for before, word in needed - bare if before not in COORDINATING},
        always_led={word for _, word in needed} - {word for _, word in bare},
    )


def _spares(held: Sequence[str], place: int) -> bool:
    """Whether what begins here behind a "the" reads as well without: a plural, or what is not counted; but not the
    "use" of "the use of"."""
    if held[place - 1] in _INDEFINITE:
        return False
    last = place
    while _goes_on(held[last + 1]):
        last += 1
    plural = held[last].endswith("s") and not held[last].endswith(("ss", "us", "is"))
    return held[last + 1] != "of" and (plural or held[last] in _MASS)


def _goes_on(word: str) -> bool:
    """Whether the word may still be of the same noun phrase."""
    return word[:1].isalnum() and word not in STOP_WORDS and VERBS.isdisjoint((word, word.removesuffix("s")))


def stray_copula(text: str, source: str) -> str:
    """An "is for" or an "is explore" in place of the verb that was left out, or a "for is" where a noun was."""
    said = [token.lower for token in tokens(text)]
    held = _pairs(source)
    for place, (copula, after) in enumerate(pairwise(said)):
        if copula in _BEFORE_NO_VERB and after in _COPULAS and (copula, after) not in held:
            return f"puts in '{copula} {after}'"
        if copula not in _COPULAS or any((each, after) in held for each in _COPULAS):
            continue
        following = _past_adverbs(said[place + 1 :])
        if following in _PREPOSITIONS or following in VERBS:
            return f"puts in '{copula} {following}'"
    return ""


def _past_adverbs(words: Sequence[str]) -> str:
    return next((word for word in words if word not in _DEGREES and not word.endswith("ly")), "")


def closed(text: str, source: str) -> str:
    """Examples ("including", "such as") told as if they were all."""
    if OPENS_LIST.search(text):
        return ""
    said = {token.lower for token in tokens(text)} - STOP_WORDS
    example = next((each["first"] for each in _EXAMPLES.finditer(source) if each["first"].lower() in said), None)
    return f"tells {example!r} and what follows as if it were all" if example else ""


def widened(text: str, source: str) -> str:
    """What "these", "such" or "our" narrow to what was spoken of, told of all or any: "methods" of "these methods"."""
    held = _narrowed_by(source)
    for before, word in pairwise([Token(","), *tokens(text)]):
        narrowed = held.get(word.lower.removesuffix("s"), "") if word.content else ""
        bare = before.text in MARKS or before.lower in _PREPOSITIONS
        named = narrowed == "our" or word.lower in _FINDINGS
        if narrowed and (before.lower in _INDEFINITE or (bare and not named)):
            return f"leaves out {narrowed!r} before {word.text!r}"
    return ""


@lru_cache(maxsize=64)
def _narrowed_by(source: str) -> Mapping[str, str]:
    """What narrows each word, wherever it stands, by the word without its "s"."""
    held: dict[str, str] = {}
    told = [token.lower for token in tokens(source) if token.lower not in _INDEFINITE]
    for before, word in pairwise(["", *told]):
        narrowing = before if before in _NARROWING else ""
        held[word.removesuffix("s")] = narrowing and held.get(word.removesuffix("s"), narrowing)
    return held


def subjectless(text: str, source: str) -> str:
    """A text that begins with its verb: "Results in …" of "This results in …"."""
    first = next((token.lower for token in tokens(text)), "")
    began = first.endswith("s") and first in _done(source)
    return f"begins with the verb {first!r}" if began else ""


def hanging(text: str) -> str:
    """A purpose in front that only what stood before it would explain: "To address these challenges, …"."""
    purpose = _PURPOSE.match(text)
    return f"begins with {purpose[0]!r}, which hangs loose" if purpose else ""


def unended(text: str, source: str) -> str:
    """A whole text that ends on a word which something should follow, or on an "is done" for what somebody did."""
    last, ended = ([each.lower for each in tokens(one) if each.text not in MARKS][-1:] for one in (text, source))
    return f"ends on {last[0]!r}" if last != ended and not _NEVER_LAST.isdisjoint(last) else ""
