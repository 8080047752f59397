"""Question and history to what is searched: does the question lean on what was said, and on which paper?

Rules only, so that the same conversation always searches for the same thing. A question leans when it points back
("it", "they", "the second paper", "what about …") or is too short to stand alone; it then carries along the last
question's words and the papers that its answer cited. A question with a subject of its own carries nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.records import Scope, Turn
from rag.text import terms

STANDS_ALONE = 5  # so many content terms are a subject of their own, unless a pronoun has nothing else to point at

CHAIN = 3  # questions that a follow-up can reach back over

_POINTS_BACK = re.compile(
    r"\b(it|its|they|them|their|theirs|these|those|both|the (?:former|latter|same|other|others)|"
    r"the (?:\w+ )?(?:one|ones)|(?:this|that|the|each) (?:paper|papers|method|methods|approach|approaches|model|"
    r"models|work|works|authors|study|studies|technique|framework|result|results|system|dataset))\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Z\d]|\w[A-Z]")
_BARE_POINTER = re.compile(r"\b(?:this|that)\s*(?:\?|$|\b(?:work|mean|help|differ|compare|do|be|come|apply)\b)", re.I)
_OPENS_LEANING = re.compile(r"^\W*(?:and|but|or|so|then|what about|how about|why(?: not)?\W*$|only|just)\b", re.I)
_ORDINALS = {
    "first": 0,
    "1st": 0,
    "second": 1,
    "2nd": 1,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "4th": 3,
    "last": -1,
}
_ORDINAL_PAPER = re.compile(
    r"\b(only |just )?(?:in |about |from )?the (" + "|".join(_ORDINALS) + r")(?: (?:one|paper|work|study|method))\b",
    re.IGNORECASE,
)
_NARROWS_YEAR = re.compile(
    r"\b(?:only|just)\b[^.?!]{0,30}?\b(?:in|from|of)?\s*((?:19|20)\d\d)(?:\s*(?:-|–|to|and)\s*((?:19|20)\d\d))?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched: the text, where, and the papers carried along from the conversation, best first."""

    text: str
    scope: Scope = Scope()
    carried: tuple[str, ...] = ()
    leans: bool = False


def contextualise(question: str, history: Sequence[Turn], scope: Scope = Scope()) -> Query:
    """The query that `question` stands for after `history` (oldest turn first)."""
    if not history or not leans(question):
        return Query(question, scope)
    named, only = _named_paper(question, history)
    return Query(
        text=" ".join((question, *_leant_on(history))),
        scope=_narrowed(question, scope, named if only else None),
        carried=(named,) if named else _recent(history),
        leans=True,
    )


def _leant_on(history: Sequence[Turn]) -> list[str]:
    """The questions before, back to the one that stands alone, latest first: that one names the subject."""
    asked: list[str] = []
    for turn in reversed(history[-CHAIN:]):
        asked.append(turn.question)
        if not leans(turn.question):
            break
    return asked


def leans(question: str) -> bool:
    """Whether the question cannot be understood without what was said before."""
    own = len(terms(question))
    if _OPENS_LEANING.search(question) or _ORDINAL_PAPER.search(question):
        return True
    if _POINTS_BACK.search(question) or _BARE_POINTER.search(question):
        return own < 2 * STANDS_ALONE
    return own < 2 and not _NAME.search(question[1:])


def _named_paper(question: str, history: Sequence[Turn]) -> tuple[str | None, bool]:
    """The paper an ordinal points at ("the second paper"), counted in the last turn that cited any."""
    found = _ORDINAL_PAPER.search(question)
    cited = next((turn.cited for turn in reversed(history) if turn.cited), ())
    if found is None or not cited:
        return None, False
    position = _ORDINALS[found.group(2).lower()]
    named = cited[position] if position < len(cited) else None
    return named, named is not None and bool(found.group(1))


def _recent(history: Sequence[Turn]) -> tuple[str, ...]:
    """Papers of the last turn that cited any, in the order cited."""
    return next((turn.cited for turn in reversed(history) if turn.cited), ())


def _narrowed(question: str, scope: Scope, paper_id: str | None) -> Scope:
    """The scope after "only in 2023" or "just the second paper"."""
    if paper_id is not None:
        return replace(scope, paper_ids=frozenset({paper_id}))
    years = _NARROWS_YEAR.search(question)
    if years is None:
        return scope
    return replace(scope, year_from=int(years[1]), year_to=int(years[2] or years[1]))
