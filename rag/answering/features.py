"""What is known about each sentence of the ranked papers, as numbers: one row a sentence, one column a feature.

Knows nothing of weights or of how sentences are picked. Features that depend on the question are scaled within the
question, so that they mean the same for an easy and a hard one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rag.models import Vectors
from rag.records import Hit, Sentence
from rag.text import Weight, terms

Matrix = NDArray[np.float64]

FEATURES: Final = (
    "cosine",  # of the sentence with the question
    "cosine_best",  # how far below the best sentence of all
    "cosine_in_paper",  # how far below the best sentence of its paper
    "paper_best",  # how far the best sentence of its paper is below the best of all
    "neighbours",  # mean cosine of the sentences beside it
    "overlap",  # share of the question's term weight that it holds
    "overlap_best",  # how far below the best overlap of all
    "overlap_window",  # overlap together with the sentences beside it
    "new_terms",  # content it has beyond the question: an answer says something new
    "paper_similarity",  # the paper's best passage
    "paper_rank",  # 1 / rank
    "paper_first",  # is it the first paper
    "paper_keyword",  # 1 / keyword rank
    "paper_title",  # share of the question's term weight in the title
    "named",  # the question names what the title names
    "position",  # 0 first to 1 last
    "opening",  # the first sentence
    "closing",  # the last sentence
    "length",  # log of its words
    "proposes",
    "finds",
    "motivates",
    "defines",
    "releases",  # code or data is available
    "surveys",  # "extensive experiments on …": scenery
    "numbers",  # holds a number
    "asks_number_has",  # the question asks how much, and it holds a number
    "asks_why_has",  # the question asks why, and it gives a cause
    "asks_data_has",  # the question asks on what data, and it names data
    "asks_what_proposes",  # "what is X", and it proposes or defines
    "asks_does_finds",  # a yes-or-no question, and it reports a finding
    "asks_how_proposes",  # "how does …", and it describes the method
)

_PROPOSES = re.compile(
    r"\b(?:we|this (?:paper|work|study|article)|the (?:authors?|paper)|here,? we|it)\s+(?:\w+ly\s+)?(?:also\s+)?"
    r"(?:propos|introduc|present|develop|design|describ|construct|build|formulat|devis|extend|releas|offer|creat)\w*",
    re.IGNORECASE,
)
_FINDS = re.compile(
    r"\b(?:results?|experiments?|evaluations?|analys[ie]s|findings?|evidence|study|stud(?:y|ies)|observations?)\s+"
    r"(?:\w+\s+){0,6}?(?:show|demonstrat|indicat|reveal|suggest|confirm|find|prov|highlight)\w*"
    r"|\b(?:we|it)\s+(?:\w+ly\s+)?(?:also\s+)?(?:show|find|found|demonstrat|observ|discover|prov|reveal|conclud|report|"
    r"identif|achiev|establish|note|argu|see|obtain)\w*|\boutperform|\bachiev|\bsurpass|\bimprov(?:es|ed|ing|ements?)\b"
    r"|\bstate-of-the-art\b|\bcompared (?:to|with)\b|\bsurprisingly\b|\bsignificant(?:ly)?\b",
    re.IGNORECASE,
)
_MOTIVATES = re.compile(
    r"^(?:however|yet|but|unfortunately|despite|although|while|recent(?:ly)?|in recent years|existing|current|previous|"
    r"prior|traditional|most|many)\b|\b(?:remains?|is still|are still)\b.{0,40}\b(?:unclear|challeng|open|difficult|"
    r"unexplored|limited|understudied)|\b(?:suffer|lack of|little is known|it is unclear|has attracted|have attracted|"
    r"crucial|has become|have become|de facto|has emerged|have emerged|widely used|has shown|have shown)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"\b(?:called|dubbed|termed|named|referred to as|is an?|are an?|which is|refers to|consists? of|comprises?|"
    r"based on|by (?:\w+ing)|leverag\w+|uses|using)\b|\([A-Z][\w-]+\)|: ",
    re.IGNORECASE,
)
_RELEASES = re.compile(r"https?://|\b(?:code|data(?:set)?s?|models?|checkpoints?)\b.{0,60}\bavailable\b|github", re.I)
_SURVEYS = re.compile(
    r"\b(?:extensive|comprehensive|thorough|various|numerous)\s+(?:\w+\s+)?(?:experiments?|evaluat)", re.I
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|half|twice|dozens?|hundreds?|billions?)\b", re.I
)
_CAUSE = re.compile(
    r"\b(?:because|due to|since|caus|reason|as a result|thus|therefore|attribut|lead|hence|so that)\w*", re.I
)
_DATA = re.compile(
    r"\b(?:data(?:set)?s?|corp(?:us|ora)|benchmarks?|tokens?|images?|hours|languages?|tasks?|trained on)\b",
    re.I,
)

_ASKS_NUMBER = re.compile(
    r"\bhow (?:many|much|large|big|long|often|far|few|fast|small)\b"
    r"|\bwhat (?:share|percent|fraction|number|size|rate|speed)|\bby what factor|\bpercent",
    re.I,
)
_ASKS_WHY = re.compile(r"\bwhy\b|\breasons?\b|\bcauses?\b|\bhow come\b", re.I)
_ASKS_DATA = re.compile(
    r"\b(?:data(?:set)?s?|corp(?:us|ora)|benchmarks?|trained on|tested on|evaluated on|languages?|domains?)\b", re.I
)
_ASKS_WHAT = re.compile(r"^\W*(?:what(?:'s| is| are| does)|who|define|explain|describe)\b", re.I)
_ASKS_WHETHER = re.compile(
    r"^\W*(?:do|does|did|is|are|was|were|can|could|will|would|should|must|has|have|which)\b|\bis it true\b|\bbetter\b",
    re.I,
)
_ASKS_HOW = re.compile(
    r"\bhow (?:do|does|did|is|are|can|could|to|would)\b|\bby what\b|\bin what way\b|\bmethod|\bapproach", re.I
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with the hit it belongs to (rank from 1) and its unit vector."""

    hit: Hit
    rank: int
    sentence: Sentence
    vector: Vectors


def matrix(question: str, vector: Vectors, candidates: Sequence[Candidate], weight: Weight) -> Matrix:
    """The features of the candidates, shape (len(candidates), len(FEATURES)).

    Candidates stand paper by paper, each paper's sentences in order. `vector` is the question's unit vector; `weight`
    tells how much a term says.
    """
    if not candidates:
        return np.zeros((0, len(FEATURES)))
    columns: dict[str, Sequence[float] | Matrix] = {}
    columns |= _likeness(vector, candidates)
    columns |= _words(question, candidates, weight)
    columns |= _paper(question, candidates, weight)
    role = _role(candidates)
    columns |= role | _fit(question, candidates, role)
    return np.column_stack([np.asarray(columns[name], dtype=np.float64) for name in FEATURES])


def _likeness(vector: Vectors, candidates: Sequence[Candidate]) -> dict[str, Matrix]:
    cosine = np.array([float(candidate.vector @ vector) for candidate in candidates])
    paper = np.array([candidate.rank for candidate in candidates])
    in_paper = np.array([cosine[paper == rank].max() for rank in paper])
    return {
        "cosine": cosine,
        "cosine_best": cosine - cosine.max(),
        "cosine_in_paper": cosine - in_paper,
        "paper_best": in_paper - cosine.max(),
        "neighbours": _beside(cosine, paper),
    }


def _beside(values: Matrix, paper: NDArray[np.int_]) -> Matrix:
    """Mean of the values beside each one within its paper; its own where it stands alone."""
    out = np.empty_like(values)
    for place in range(len(values)):
        beside = [
            values[other]
            for other in (place - 1, place + 1)
            if 0 <= other < len(values) and paper[other] == paper[place]
        ]
        out[place] = np.mean(beside) if beside else values[place]
    return out


def _words(question: str, candidates: Sequence[Candidate], weight: Weight) -> dict[str, Sequence[float] | Matrix]:
    asked = set(terms(question))
    held = [set(terms(candidate.sentence.text)) for candidate in candidates]
    overlap = np.array([_share(asked, words, weight) for words in held])
    window = [
        _share(asked, set().union(*held[max(0, place - 1) : place + 2]), weight) for place in range(len(candidates))
    ]
    return {
        "overlap": overlap,
        "overlap_best": overlap - overlap.max(),
        "overlap_window": window,
        "new_terms": [math.log1p(len(words - asked)) for words in held],
    }


def _share(asked: set[str], held: set[str], weight: Weight) -> float:
    """Share of the weight of what was asked that is held."""
    total = sum(weight(term) for term in sorted(asked))
    return sum(weight(term) for term in sorted(asked & held)) / total if total else 0.0


def _paper(question: str, candidates: Sequence[Candidate], weight: Weight) -> dict[str, Sequence[float]]:
    asked = set(terms(question))
    titles = {c.hit.paper.title for c in candidates}
    shared = {title: _share(asked, set(terms(title)), weight) for title in titles}
    named = {title: float(names_subject(question, title)) for title in titles}
    return {
        "paper_similarity": [c.hit.similarity or 0.0 for c in candidates],
        "paper_rank": [1.0 / c.rank for c in candidates],
        "paper_first": [float(c.rank == 1) for c in candidates],
        "paper_keyword": [1.0 / c.hit.keyword_rank if c.hit.keyword_rank else 0.0 for c in candidates],
        "paper_title": [shared[c.hit.paper.title] for c in candidates],
        "named": [named[c.hit.paper.title] for c in candidates],
    }


def names_subject(question: str, title: str) -> bool:
    """Whether the question uses a name that the title gives to its subject: a word with inner capitals or digits."""
    names = {
        word.lower()
        for word in re.findall(r"[\w.+-]*[A-Za-z][\w.+-]*", title)
        if word[1:] != word[1:].lower() or any(c.isdigit() for c in word)
    }
    head = title.split(":")[0].strip().lower()
    asked = question.lower()
    if ":" in title and len(head) <= 30 and re.search(rf"\b{re.escape(head)}\b", asked):
        return True
    return bool(names & set(re.findall(r"[\w.+-]*\w", asked)))


def _role(candidates: Sequence[Candidate]) -> dict[str, Sequence[float]]:
    texts = [c.sentence.text for c in candidates]
    lengths = {c.rank: c.sentence.position for c in candidates}  # the last one stands: the paper's last position
    position = [c.sentence.position / max(1, lengths[c.rank]) for c in candidates]
    return {
        "position": position,
        "opening": [float(c.sentence.position == 0) for c in candidates],
        "closing": [float(c.sentence.position == lengths[c.rank]) for c in candidates],
        "length": [math.log(1 + len(text.split())) for text in texts],
        "proposes": _found(_PROPOSES, texts),
        "finds": _found(_FINDS, texts),
        "motivates": _found(_MOTIVATES, texts),
        "defines": _found(_DEFINES, texts),
        "releases": _found(_RELEASES, texts),
        "surveys": _found(_SURVEYS, texts),
        "numbers": _found(_NUMBER, texts),
    }


def _fit(
    question: str, candidates: Sequence[Candidate], role: Mapping[str, Sequence[float]]
) -> dict[str, Sequence[float]]:
    """The question's form against the sentence's."""
    texts = [c.sentence.text for c in candidates]
    why, data = _found(_CAUSE, texts), _found(_DATA, texts)
    tells = [max(pair) for pair in zip(role["proposes"], role["defines"], strict=True)]
    return {
        "asks_number_has": _if(_ASKS_NUMBER, question, role["numbers"]),
        "asks_why_has": _if(_ASKS_WHY, question, why),
        "asks_data_has": _if(_ASKS_DATA, question, data),
        "asks_what_proposes": _if(_ASKS_WHAT, question, tells),
        "asks_does_finds": _if(_ASKS_WHETHER, question, role["finds"]),
        "asks_how_proposes": _if(_ASKS_HOW, question, tells),
    }


def _found(pattern: re.Pattern[str], texts: Sequence[str]) -> list[float]:
    return [float(pattern.search(text) is not None) for text in texts]


def _if(pattern: re.Pattern[str], question: str, column: Sequence[float]) -> list[float]:
    asked = float(pattern.search(question) is not None)
    return [asked * value for value in column]
