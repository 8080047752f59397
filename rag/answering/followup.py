"""Question and history to what is searched: does the question lean on what was said, and on which paper?

Rules only, so that the same conversation always searches for the same thing. A question leans when it points back
("it", "they", "the second paper", "what about …") or is too short to stand alone; it then carries along the last
question's words and the papers that its answer cited. A question with a subject of its own carries nothing, also
where it points back at that subject ("What is RETRO, and what does it retrieve?").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.records import Scope, Turn
from rag.text import terms

STANDS_ALONE = 5  # so many content terms are a subject of their own, unless a pronoun has nothing else to point at

CHAIN = 3  # questions that a follow-up can reach back over

LONGEST = 500  # characters of a question that leans, or is leant on; a longer one says itself what it is about

_MATCHED_AS = str.maketrans("ſıİ", "sii")  # letters that IGNORECASE takes for others, and lower() does not

_PRONOUN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|these|those|both|the (?:former|latter|same|other|others))\b", re.IGNORECASE
)
_MEANT = re.compile(
    r"\b(?:the (?:\w+ )?(?:one|ones)|(?:this|that|the|each) (?:paper|papers|method|methods|approach|approaches|model|"
    r"models|work|works|authors|study|studies|technique|framework|result|results|system|dataset))\b",
    re.IGNORECASE,
)
_BARE_POINTER = re.compile(r"\b(?:this|that)\s*(?:\?|$|\b(?:work|mean|help|differ|compare|do|be|come|apply)\b)", re.I)
_OPENS_LEANING = re.compile(r"^\W*(?:and|but|or|so|then|what about|how about|why(?: not)?\W*$|only|just)\b", re.I)
_NAME = re.compile(r"\b[A-Z\d]|\w[A-Z]")
_NAMED_SUBJECT = re.compile(r"\b(?!I\b)[A-Z]|\w[A-Z]")
_CLAUSE_ENDS = re.compile(
    r"[,;:.]|\b(?:but|if|when|while|because|after)\b|\band (?=wh|how|do|is|are|was|were|can)", re.IGNORECASE
)
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
# "The first paper to show …" asks for a paper, "the first paper" points at one.
_ORDINAL_PAPER = re.compile(
    r"\b(only |just )?(?:in |about |from )?the (" + "|".join(_ORDINALS) + r")"
    r"(?:\W*$| (?:one|paper|work|study|method)\b(?! (?:that|which|who)\b| to (?!(?:the|an?|it)\b|(?-i:[A-Z]))))",
    re.IGNORECASE,
)
# "Only in 2019" and "only 2019 papers" name a year, "only 2000 examples" does not.
_NARROWS_YEAR = re.compile(
    r"(?:\b(?:only|just)\b[^.?!]{0,30}?|^\W*(?:and|but|or|what about|how about)\s+)"
    r"(?:\b(in|from|of|between|since|after|before|until|up to)\s+)?"
    r"\b((?:19|20)\d\d)(?:\s*(?:-|–|to|and)\s*((?:19|20)\d\d))?\b"
    r"(?(1)|(?!\s+(?!papers?\b|ones\b|works?\b|studies\b)\w))",
    re.IGNORECASE,
)
_COMPARES = re.compile(r"\b(?:compare[ds]?|differs?|differen(?:t|ces?))\b", re.IGNORECASE)
_WIDENS = re.compile(r"\b(?:others?|all)\b", re.IGNORECASE)


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
    return Query(
        text=" ".join((question, *_leant_on(history))),
        scope=_within(scope, _narrowing(question, history)),
        carried=_carried(question, history),
        leans=True,
    )


def _leant_on(history: Sequence[Turn]) -> list[str]:
    """The questions before, back to the one that stands alone, latest first: that one names the subject."""
    asked: list[str] = []
    for turn in reversed(history[-CHAIN:]):
        asked.append(turn.question[:LONGEST])
        if not leans(turn.question):
            break
    return asked


def leans(question: str) -> bool:
    """Whether the question cannot be understood without what was said before."""
    if len(question) > LONGEST:
        return False
    own = len(terms(question))
    if _OPENS_LEANING.search(question) or _ORDINAL_PAPER.search(question):
        return True
    if own < STANDS_ALONE and _NARROWS_YEAR.search(question):
        return True
    if own < 2 * STANDS_ALONE and (_MEANT.search(question) or _BARE_POINTER.search(question)):
        return True
    if any(_points_back(question, pronoun) for pronoun in _PRONOUN.finditer(question)):
        return True
    return own < 2 and not _NAME.search(question[1:])


def _points_back(question: str, pronoun: re.Match[str]) -> bool:
    """Whether the pronoun stands for something said before, and not for something that the question names itself.

    The more of the question stands before it, the likelier it is to stand for that, so what does counts twice. Of 434
    labelled questions that stand alone, this takes 11 for follow-ups; by length alone it was 58.
    """
    before = question[: pronoun.start()]
    ends = [end.start() for end in _CLAUSE_ENDS.finditer(before)]
    subject = before if _spelt(pronoun[0]) == "its" else before[: ends[-1]] if ends else ""
    if _NAMED_SUBJECT.search(subject[1:]):
        return False
    return len(terms(before)) + len(terms(question)) <= 2 * STANDS_ALONE


def _named_papers(question: str, history: Sequence[Turn]) -> tuple[tuple[str, ...], bool]:
    """The papers that ordinals point at ("the second paper"), and whether nothing else is asked about ("only")."""
    listed = _listed(history)
    if not listed:
        return (), False
    found = [each for each in _ORDINAL_PAPER.finditer(question) if _ORDINALS[_spelt(each[2])] < len(listed)]
    named = dict.fromkeys(listed[_ORDINALS[_spelt(each[2])]] for each in found)
    return tuple(named), any(each[1] for each in found)


def _listed(history: Sequence[Turn]) -> tuple[str, ...]:
    """The papers that ordinals count: of the last turn that cited any and did not itself pick one from such a list."""
    cited = [turn for turn in history if turn.cited]
    listing = [turn for turn in cited if not _ORDINAL_PAPER.search(turn.question)]
    return next((turn.cited for turn in reversed(listing or cited)), ())


def _carried(question: str, history: Sequence[Turn]) -> tuple[str, ...]:
    """The papers that the question is about, best first: those named, and what a pronoun beside them stands for."""
    named, _ = _named_papers(question, history)
    recent = next((turn.cited for turn in reversed(history) if turn.cited), ())
    if named and not _PRONOUN.search(question):
        return named
    return tuple(dict.fromkeys((*named, *recent)))


def _narrowing(question: str, history: Sequence[Turn]) -> Scope:
    """What "only in 2023", "only the second paper" or "how does it compare with the first one?" narrows the scope to.

    It holds for the follow-ups on such a turn, until one is about other papers too.
    """
    while leans(question):
        named, only = _named_papers(question, history)
        widens, compares = _WIDENS.search(question), _COMPARES.search(question)
        compared = _carried(question, history) if named and compares and not widens else ()
        if only or len(compared) > 1:
            return Scope(paper_ids=frozenset(named if only else compared))
        if years := _NARROWS_YEAR.search(question):
            return _in_years(years)
        if named or widens or compares or not history:
            break
        question, history = history[-1].question, history[:-1]
    return Scope()


def _in_years(years: re.Match[str]) -> Scope:
    where, year = _spelt(years[1] or ""), int(years[2])
    if where in ("since", "after"):
        return Scope(year_from=year + (where == "after"))
    if where in ("before", "until", "up to"):
        return Scope(year_to=year - (where == "before"))
    return Scope(year_from=year, year_to=int(years[3] or year))


def _within(scope: Scope, narrowing: Scope) -> Scope:
    """`scope` with `narrowing` inside it: what was set beside the conversation is not lifted by words in it."""
    both = scope, narrowing
    papers = [each.paper_ids for each in both if each.paper_ids is not None]
    return replace(
        scope,
        year_from=max((each.year_from for each in both if each.year_from is not None), default=None),
        year_to=min((each.year_to for each in both if each.year_to is not None), default=None),
        paper_ids=frozenset.intersection(*papers) if papers else None,
    )


def _spelt(matched: str) -> str:
    """What a pattern that ignores case has matched, in the letters that the pattern is written in."""
    return matched.translate(_MATCHED_AS).lower()
