"""The nouns that travel between the parts: frozen, free of behaviour beyond derived values, free of imports.

Offsets are in characters (code points) of `Paper.abstract` as stored; `end` is exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Confidence = Literal["answer", "caution", "refusal"]
Support = Literal["quoted", "supported"]


@dataclass(frozen=True, slots=True)
class Paper:
    """One record of the collection; what its source did not say stays empty.

    `paper_id` is given once and kept: `doi:…` or `arxiv:…` where known, else a slug with a short hash of the title.
    `aliases` holds every other name that finds this paper: identifiers learned later, BibTeX keys, ids of merged
    duplicates. `source` names the file the record was read from.
    """

    paper_id: str
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    url: str = ""
    doi: str = ""
    source: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier turn of the conversation: its question and the `paper_id`s its answer cited, in order."""

    question: str
    cited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which papers a question is about; every condition must hold, the empty scope holds for all.

    A year condition leaves out papers without a year. `hidden` papers are treated as absent from the collection:
    calibration and evaluation ask each question with its own papers hidden.
    """

    year_from: int | None = None
    year_to: int | None = None
    paper_ids: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()

    @property
    def by_year(self) -> bool:
        """Whether a year condition is set."""
        return self.year_from is not None or self.year_to is not None

    @property
    def everything(self) -> bool:
        """Whether no condition is set."""
        return not self.by_year and self.paper_ids is None and not self.hidden

    def holds(self, paper: Paper) -> bool:
        """Whether `paper` is in scope."""
        if paper.paper_id in self.hidden:
            return False
        if self.paper_ids is not None and paper.paper_id not in self.paper_ids:
            return False
        if not self.by_year:
            return True
        if paper.year is None:
            return False
        return (self.year_from or paper.year) <= paper.year <= (self.year_to or paper.year)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an abstract: `text == abstract[start:end]`, `position` counts from 0."""

    paper_id: str
    position: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive sentences that fit the embedder's window together with the title; `text == abstract[start:end]`."""

    passage_id: str
    paper_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved paper: ranks count from 1 (None: not found that way).

    `score` is that of the second look: larger is better, it may be negative, and it compares within one search only.
    `similarity` is the largest cosine of any of its passages with the question, where dense search looked at it.
    """

    paper: Paper
    passages: tuple[Passage, ...]
    score: float
    dense_rank: int | None = None
    keyword_rank: int | None = None
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence picked to answer the question; a larger `score` means it answers better."""

    paper: Paper
    sentence: Sentence
    score: float


@dataclass(frozen=True, slots=True)
class Citation:
    """An entry of an answer's reference list, numbered from 1, with the sentences that carry its weight."""

    number: int
    paper: Paper
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A stated sentence; `citations` are numbers into the answer's list.

    `support` is `quoted` (the source's own words) or `supported` (worded by the model, and checked).
    """

    text: str
    citations: tuple[int, ...]
    support: Support


@dataclass(frozen=True, slots=True)
class Theme:
    """Papers of a summary that speak of the same thing.

    `about` names it, or is empty for papers that stand alone; `opposed` are pairs of them that may disagree.
    """

    about: str
    paper_ids: tuple[str, ...]
    opposed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant has to say on a question.

    `confidence` is `answer`, `caution` (stated, but it may not be what was asked) or `refusal`; `reason` says why
    where it is not `answer`, how mistyped words were read, and what cut the answer short. `nearest` is the number that
    `confidence` was decided by: the larger, the likelier the collection answers. `themes` order a summary's papers and
    are empty for an ordinary answer. `timings` are seconds.
    """

    question: str
    answered: bool
    confidence: Confidence
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    reason: str | None = None
    rejected: int = 0
    generator: str = ""
    nearest: float | None = None
    themes: tuple[Theme, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The statements as one paragraph, each followed by its citation numbers."""
        return " ".join(f"{s.text} {' '.join(f'[{n}]' for n in s.citations)}" for s in self.statements)

    @property
    def turn(self) -> Turn:
        """This answer as an earlier turn of the conversation."""
        return Turn(self.question, tuple(citation.paper.paper_id for citation in self.citations))


@dataclass(frozen=True, slots=True)
class Searched:
    """Event: retrieval is done."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Selected:
    """Event: the evidence sentences are picked; `confidence`, `reason` and `themes` are what the answer's will be."""

    evidence: tuple[Evidence, ...]
    confidence: Confidence = "answer"
    reason: str | None = None
    themes: tuple[Theme, ...] = ()


@dataclass(frozen=True, slots=True)
class Stated:
    """Event: a statement passed the check and stands; `citations` are the entries it cites."""

    statement: Statement
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Event: a written sentence failed the check and was withheld."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """Event: the last of every stream."""

    answer: Answer


Event = Searched | Selected | Stated | Rejected | Finished
