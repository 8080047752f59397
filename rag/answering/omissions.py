"""What a whole condensed sentence leaves out that it may not: its verb, its condition, a doubt, a "not", its numbers.

`condensing` asks what a wording makes of the words that it keeps; here it is asked, once it is whole, what went with
the others. Each rule gives a reason in words, or "".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from rag.answering.claims import NEGATORS
from rag.answering.phrasing import unended
from rag.answering.tokens import Token, content, keys, matches, tokens
from rag.answering.verbs import has_verb, heard_as_verbs

_CONDITION = re.compile(
    r"\b(?:if|unless|provided that|as long as|assuming|given that|only when|that satisf(?:y|ies)|under the assumption)"
    r"\b(?P<what>[^,;:.()]{1,120})",
    re.IGNORECASE,
)
_SPOKEN = re.compile(r"\b(?:we|(?:this|the|our) (?:paper|work|study|article|survey|review|authors?))\b", re.IGNORECASE)
_FRAME = re.compile(
    r"(?:for example, |moreover, |furthermore, |specifically, |notably, |finally, )?"
    r"(?=(?:on|by|with|when|after|under|without|given|within|among|during|taking|using|in)\b)"
    r"(?!in (?:this|our|the) (?:paper|work|study|article|survey|review|experiments?)|in (?:addition|particular|"
    r"contrast|general|fact|conclusion|summary|response)|with (?:this|that)|by (?:this|doing|contrast)|"
    r"on the (?:other|one))"
    r"(?P<what>[^,;:.()]{1,120}),",
    re.IGNORECASE,
)
_DOUBTS = re.compile(
    r"\bwe (?:\w+ly |also |further )?(?:believe|argue|hypothesi[sz]e|speculate|conjecture|suspect|expect|estimate|hope|"
    r"seek|aim|attempt|try|advocate)\b|\bhints? at\b|\bevidence suggests\b|\b(?:it is )?(?:argued|believed|"
    r"hypothesi[sz]ed|expected|estimated|suggested|sought|hoped)\b|\b(?:may|might|could|likely|suggests?|suggesting)\b",
    re.IGNORECASE,
)
_QUESTIONS = re.compile(
    r"\b(?:whether|the extent to which|"
    r"(?:stud(?:y|ies|ied|ying)|(?:explor|examin|investigat)(?:e|es|ed|ing)|(?:benchmark|assess)(?:e?s|ed|ing)?) how|"
    r"aim(?:s|ed)? to (?:\w+ ){0,2}?(?:investigate|assess|examine|determine|test|study|evaluate|explore))"
    r"\b(?P<what>(?:(?!\bwe\b)[^.;]){1,160})",
    re.IGNORECASE,
)
_STATISTICS = re.compile(
    r"\([^()]*(?:\bp\s*[<=>≤]|\b(?:n|r)\s*=|\b(?:CI|SD|SEM|OR|HR|RR)\b|confidence|±)[^()]*\)", re.IGNORECASE
)
_CALLED = re.compile(
    r"\b(?:called|named|termed|dubbed|coined)\s+(?:as\s+|the\s+)?[\"“‘'`]*(?P<name>[\w-]+)(?:[^,;:.()]*\((?P<short>[\w-]+)\))?"
)
_COMPARED = re.compile(
    r"\bthan\b|\b(?:compared|relative|in comparison) (?:to|with)\b|\b(?:improvements?|gains?|speedup of \S+) over\b",
    re.IGNORECASE,
)
_COMPARING = re.compile(r"\b(?:than|compar\w+|relative|over|versus|vs)\b", re.IGNORECASE)
_COMPARATIVE = re.compile(
    r"more|less|fewer|better|worse|(?:fast|slow|high|low|larg|small|great|short|long|strong|weak|cheap|easi|earli|lat)er|"
    r"improv(?:es|ed|ing|ements?)|speed-?ups?|gains?|reduc(?:es|ed|ing|tions?)|increas(?:es|ed|ing|e)|saves?|savings?"
)
REACH: Final = 20
"""Words from a comparison back to what it is made of."""

_TIMES: Final = frozenset({"once", "twice", "again"})
_MERELY: Final = frozenset({"only", "just", "merely", "simply"})


def lacks(text: str, source: str) -> str:
    """What a whole text lacks, by the rules that the reader's examples are held to as well."""
    return (
        undenied(text, source)
        or unconditional(text, source)
        or unframed(text, source)
        or unhedged(text, source)
        or unasked(text, source)
        or verbless(text, source)
        or unended(text, source)
    )


def unconditional(text: str, source: str) -> str:
    """The condition that the source makes and the text is silent about."""
    said = keys(tokens(text))
    for clause in _CONDITION.finditer(source):
        asked = content(clause["what"])
        if asked and not any(matches(token, said) for token in asked):
            return f"leaves out the condition {clause[0].strip()!r}"
    return ""


def undenied(text: str, source: str) -> str:
    """A "not" left out before a word that is kept, even where the text denies something else."""
    said, held = tokens(text), tokens(source)
    times = Counter(token.key for token in held)
    for place, token in enumerate(held):
        denied = next((each for each in held[place + 1 : place + 4] if each.content), None)
        if token.lower != "not" or denied is None or times[denied.key] > 1 or held[place + 1].lower in _MERELY:
            continue
        kept = [there for there, each in enumerate(said) if each.key == denied.key]
        if kept and not any(_denied(said, there) for there in kept):
            return f"leaves out 'not' before {denied.text!r}"
    return ""


def _denied(said: Sequence[Token], place: int) -> bool:
    """Whether a negation stands a few words before ("does not show"), or "no" right after ("shows no")."""
    before = any(token.lower in NEGATORS or token.lower.endswith("n't") for token in said[max(0, place - 4) : place])
    return before or any(token.lower in {"no", "neither", "none"} for token in said[place + 1 : place + 3])


def unasked(text: str, source: str) -> str:
    """What the authors set out to see ("whether it helps"), told as what they saw."""
    said = keys(tokens(text))
    for question in _QUESTIONS.finditer(source):
        asked = content(question["what"])
        kept = sum(matches(token, said) for token in asked)
        if asked and 3 * kept > 2 * len(asked) and not (_QUESTIONS.search(text) or _DOUBTS.search(text)):
            return f"tells as found what the sentence only asks ({question[0][:40].strip()!r})"
    return ""


def untold(text: str, source: str) -> str:
    """What a whole text leaves out that is often what was asked for: a number, a name, what something compares with.

    No part of `lacks`, for to leave one out is no fault of a statement.
    """
    return uncounted(text, source) or uncalled(text, source) or uncompared(text, source)


def uncounted(text: str, source: str) -> str:
    """A number of the sentence that the text is silent about; statistics in brackets may go."""
    said = [token.quantity for token in tokens(text) if token.quantity is not None]
    for token in tokens(_STATISTICS.sub(" ", source)):
        number = token.quantity if any(map(str.isdigit, token.text)) else None
        if number is not None and not any(number.agrees(other) for other in said):
            return f"leaves out the number {token.text!r}"
    return _how_often(text, source)


def _how_often(text: str, source: str) -> str:
    """A "once" left out behind the word that it counts ("appear exactly once")."""
    said = {token.lower for token in tokens(text)}
    plain = [token for token in tokens(source) if not token.lower.endswith("ly")]
    for counted, token in pairwise(plain):
        if token.lower in _TIMES - said and counted.lower in said:
            return f"leaves out {token.text!r}"
    return ""


def uncalled(text: str, source: str) -> str:
    """A name that the sentence gives ("called PayRex") where the text has neither it nor its short form in brackets."""
    given = _CALLED.search(source)
    if given is None:
        return ""
    said, names = _bare(text), (_bare(given["name"]), _bare(given["short"] or ""))
    return "" if any(name and name in said for name in names) else f"leaves out the name {given['name']!r}"


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text).lower()


def uncompared(text: str, source: str) -> str:
    """What the sentence compares with ("faster than a loom"), where the text keeps the rest: "faster"."""
    if _COMPARING.search(text):
        return ""
    said = {token.lower for token in tokens(text)}
    for comparison in _COMPARED.finditer(source):
        before = [token.lower for token in tokens(source[: comparison.end()].rpartition(";")[2])][-REACH:]
        kept = next((word for word in before if word in said and _COMPARATIVE.fullmatch(word)), None)
        if kept:
            return f"leaves out what {kept!r} compares with"
    return ""


def verbless(text: str, source: str) -> str:
    """A text that lost its verb, as it does with the "we present" that it is left without."""
    verbs = heard_as_verbs(source)
    asked = _SPOKEN.search(source) is not None or has_verb(source, verbs)
    return "is no full sentence" if asked and not has_verb(text, verbs) else ""


def unframed(text: str, source: str) -> str:
    """What the sentence begins by narrowing itself to ("On a pre-trained T2T,"), where the text is silent about it."""
    frame = _FRAME.match(source)
    if frame is None:
        return ""
    asked, said = content(frame["what"]), keys(tokens(text))
    silent = bool(asked) and not any(matches(token, said) for token in asked)
    return f"leaves out {frame['what'].strip()!r}" if silent else ""


def unhedged(text: str, source: str) -> str:
    """A doubt or a wish of the authors ("we believe", "hints at") that the text makes a fact of."""
    doubted = _DOUBTS.search(source)
    return f"leaves out {doubted[0]!r}" if doubted and not _DOUBTS.search(text) else ""
