"""Whether a condensed sentence, or its beginning, still reads as it was meant: how what is left of it was joined.

It is taught to leave out, and what remains does not always fit: then it puts in an article, a "there is" or an "is
for" that no rule about content sees, or tells of all what was told of some. Each rule gives a reason in words, or "".
Rules and word lists, no model; what stands so in the source is never a fault.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from rag.answering.claims import MARKS, Token, tokens
from rag.answering.verbs import VERBS

ARTICLES: Final = frozenset({"the", "a", "an"})
_COPULAS: Final = frozenset("is are was were".split())
_PREPOSITIONS: Final = frozenset(
    "for through with to in on of by at from under across during via into onto within without".split()
)
_SUBJECTS: Final = frozenset("we to who they".split())
_POINTERS: Final = frozenset({"this", "it"})
_THIRD_PERSON: Final = re.compile(r"\w{2,}(?<![sui])s")
_NEVER_LAST: Final = (
    _COPULAS | _PREPOSITIONS | ARTICLES | frozenset("and or that which be been has have had as than but".split())
)
_INDEFINITE: Final = frozenset({"a", "an"})
_NARROWING: Final = frozenset("these those such our".split())
_FINDINGS: Final = frozenset("results findings observations experiments analyses data".split())
"""What a paper shows its claims by: "results show" are its own, whatever stands before."""

_PURPOSE: Final = re.compile(
    r"(?:in order )?to (?:\w+ly )?(?:address|solve|tackle|overcome|mitigate|alleviate|fill|bridge|facilitate|resolve|"
    r"close|remedy|investigate|study|answer) (?:the|this|these|those|such|it|them)\b[^,]{0,60},",
    re.IGNORECASE,
)
_DEGREES: Final = frozenset("more most not also".split())
_THERE: Final = re.compile(r"\bthere (?:is|are|was|were)\b", re.IGNORECASE)
_OPEN_LIST: Final = re.compile(r"\b(?:including|such as|e\.g\.?,?|like),?\s+(?P<first>[\w-]+)", re.IGNORECASE)
_OPENED: Final = re.compile(r"\b(?:includ\w+|such as|e\.g|like|among|for example|for instance)\b", re.IGNORECASE)


def clumsy(text: str, source: str) -> str:
    """How a text, or the beginning of one, joins badly what is left of the sentence that it was made from."""
    return (
        stray_there(text, source)
        or stray_article(text, source)
        or stray_copula(text, source)
        or closed(text, source)
        or widened(text, source)
        or subjectless(text, source)
        or hanging(text)
    )


def stray_there(text: str, source: str) -> str:
    """A "there is" for what the sentence says that somebody did."""
    return "puts in a 'there is'" if _THERE.search(text) and not _THERE.search(source) else ""


def stray_article(text: str, source: str) -> str:
    """An article before a mark, or before what the sentence has as a verb: "this translates", "we first use"."""
    done = _done(source)
    for article, word in pairwise(tokens(text)):
        if article.lower in ARTICLES and (word.text in MARKS or word.lower in done):
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


def stray_copula(text: str, source: str) -> str:
    """An "is for" or an "is explore" in place of the verb that was left out."""
    said = [token.lower for token in tokens(text)]
    held = set(pairwise(token.lower for token in tokens(source)))
    for place, (copula, after) in enumerate(pairwise(said)):
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
    if _OPENED.search(text):
        return ""
    said = {token.lower for token in tokens(text)}
    example = next((each["first"] for each in _OPEN_LIST.finditer(source) if each["first"].lower() in said), None)
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
    """A whole text that ends on a word which something should follow."""
    last, ended = ([each.lower for each in tokens(one) if each.text not in MARKS][-1:] for one in (text, source))
    return f"ends on {last[0]!r}" if last != ended and not _NEVER_LAST.isdisjoint(last) else ""
