"""The front door: a question and its history in, typed events and a cited answer out.

`Assistant.stream` reads as the steps of an answer: search, pick evidence, decide whether it is enough, and state it
sentence by sentence: worded by the model where that passes the checks, quoted where not. The steps themselves live in
`rag.answering` and do not know each other.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator as Closable
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Final, Self

from rag.answering import grounding, prompts, rewording, writing
from rag.answering.calibration import sufficiency
from rag.answering.claims import keys, tokens
from rag.answering.composing import Composer
from rag.answering.evidence import WORDS, LearnedSelector, Selector, nearest, unknown_share, unknown_words
from rag.answering.followup import contextualise
from rag.answering.retriever import Retrieval, Retriever
from rag.errors import Cancelled, ModelFailed, ModelMissing
from rag.index.live import LiveIndex, open_index
from rag.models import Embedder, Generator, Limits
from rag.records import (
    Answer,
    Confidence,
    Event,
    Evidence,
    Finished,
    Hit,
    Rejected,
    Scope,
    Searched,
    Selected,
    Stated,
    Turn,
)
from rag.settings import Settings, load_settings
from rag.text import clean_question

WORDED: Final = 2
"""Sentences of an answer that the model may word: each costs two to three seconds on a laptop's CPU. Counted, not
timed, so that a busy machine gives the same answer."""

LONGEST_WORDED: Final = 25
"""Words of a sentence that the model may word: of 60 up to this length the small model worded 7 so that they passed
every check, of 45 longer ones none."""

TOLD: Final = 0.6
"""Share of an evidence sentence's content that one statement holds when there is no need to state it again."""


class Assistant:
    """Answers questions about the collection in one open index. Safe to share between threads."""

    def __init__(
        self,
        index: LiveIndex,
        embedder: Embedder,
        generator: Generator | None,
        settings: Settings,
        *,
        selector: Selector | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Parts that are open already; `generator=None` quotes only. `Assistant.open` is the ordinary way in."""
        self.index = index
        self._embedder = embedder
        self._generator = generator
        self._settings = settings
        self._notes = tuple(notes)
        self._retriever = Retriever(index, embedder, passages_searched=settings.passages_searched, rrf_k=settings.rrf_k)
        self._selector = selector or LearnedSelector(index, self.weight)
        self._sufficiency = sufficiency(index.manifest.calibration)
        self._similarity = lru_cache(maxsize=256)(self._cosine)

    @classmethod
    def open(cls, settings: Settings | None = None, *, writes: bool = True) -> Assistant:
        """The assistant on the live index, with the models that the settings name.

        `writes=False` loads no language model. Raises NoIndex or IndexMismatch where there is no index to use, and
        ModelMissing where there is no embedder; a missing language model is told in `notes` and answers are quoted.
        """
        from rag.models.embedder import load_embedder
        from rag.models.weights import find_embedder

        settings = settings or load_settings()
        weights = find_embedder(settings.embedder, settings.cache)
        index = open_index(settings.index, weights.name, weights.fingerprint)
        try:
            embedder = load_embedder(weights, settings.device)
            generator, notes = _generator(settings) if writes else (None, ())
        except BaseException:
            index.close()
            raise
        return cls(index, embedder, generator, settings, notes=notes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index."""
        self.index.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know about how answers come about here, one line each."""
        return (*self._notes, *self.index.notes)

    def search(self, question: str, *, top_k: int | None = None, scope: Scope = Scope()) -> tuple[Hit, ...]:
        """Ranked papers, best first. Raises BadQuestion for an empty or over-long question."""
        return self.retrieve(self._clean(question), (), top_k, scope).hits

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        top_k: int | None = None,
        scope: Scope = Scope(),
        cancelled: threading.Event | None = None,
    ) -> Answer:
        """The answer, once it is finished. Raises as `stream` does."""
        for event in self.stream(question, history, top_k=top_k, scope=scope, cancelled=cancelled):
            if isinstance(event, Finished):
                return event.answer
        raise AssertionError("a stream ends with Finished")

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        top_k: int | None = None,
        scope: Scope = Scope(),
        cancelled: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Events as they happen, `Finished` last; a statement, once stated, is never withdrawn.

        Raises BadQuestion for an empty or over-long question, Cancelled when `cancelled` is set meanwhile.
        """
        work = _Work(self._clean(question), cancelled or threading.Event())
        found = self.retrieve(work.question, history, top_k, scope)
        work.searched()
        yield Searched(found.hits)

        evidence = self._selector.select(found.query.text, found.vector, found.hits)
        work.nearest = nearest(found.vector, found.hits, self.index)
        confidence, reason = self._enough(found, work.nearest)
        work.selected(confidence, reason)
        yield Selected(() if confidence == "refusal" else evidence, confidence, reason)

        if confidence != "refusal":
            yield from self._state(work, evidence)
        yield Finished(self._finished(work, found))

    def _clean(self, question: str) -> str:
        return clean_question(question, self._settings.max_question_chars)

    def retrieve(self, question: str, history: Sequence[Turn], top_k: int | None, scope: Scope) -> Retrieval:
        """What a clean question finds after `history`: the query it stands for, its vector and the ranked papers."""
        query = contextualise(question, history, scope)
        return self._retriever.retrieve(query, top_k or self._settings.top_k)

    def _enough(self, found: Retrieval, similarity: float) -> tuple[Confidence, str | None]:
        """How far the evidence can be trusted to answer, and why where it is not all the way."""
        if not found.hits:
            return "refusal", prompts.NOTHING_IN_SCOPE
        known = self.index.document_frequency
        share = unknown_share(found.query.text, self.weight, known)
        confidence = self._sufficiency.confidence(similarity, share)
        if confidence == "answer":
            return confidence, None
        unknown = unknown_words(found.query.text, known)
        tail = f" {prompts.UNKNOWN_WORDS.format(words=', '.join(unknown))}" if unknown else ""
        return confidence, (prompts.NO_ANSWER if confidence == "refusal" else prompts.MAY_NOT_BE_ASKED) + tail

    def _state(self, work: _Work, evidence: Sequence[Evidence]) -> Iterator[Event]:
        """State the evidence, sentence by sentence; each in the model's words or, failing that, in its own."""
        for item in _in_reading_order(evidence):
            work.check_cancelled()
            if _told(item, work.composer) or work.full(item):
                continue
            worded = None
            if self._generator is not None and self._may_word(work, item):
                work.tries += 1
                worded = self._word(work, self._generator, item)
            work.check_cancelled()
            if isinstance(worded, Rejected):
                yield worded
            if isinstance(worded, str):
                yield work.state(worded, item, quoted=_is_quotation(worded, item))
            else:
                yield work.state(item.sentence.text, item, quoted=True)

    def _may_word(self, work: _Work, item: Evidence) -> bool:
        """Whether the model is to word this sentence: it leans on its surroundings, is short, and tries are left.

        The model that ships words too few sentences to keep a reader waiting for the first one.
        """
        text = item.sentence.text
        waits = not work.composer.statements and self._settings.generator == "default"
        return not waits and work.tries < WORDED and len(text.split()) <= LONGEST_WORDED and writing.leans(text)

    def _word(self, work: _Work, generator: Generator, item: Evidence) -> str | Rejected | None:
        """The sentence as the model words it, or what was withheld; None where the model said nothing."""
        limits = Limits(self._settings.max_new_tokens, work.seconds_left(self._settings), work.cancelled)
        messages = prompts.rewording_prompt(item.paper, item.sentence.text)
        try:
            with closing(_closable(generator.stream(messages, limits))) as pieces:
                drafts = ((writing.cleaned(draft), finished) for draft, finished in writing.drafted(pieces))
                text, finished = next(((draft, finished) for draft, finished in drafts if draft), ("", False))
        except ModelFailed as error:
            work.stop_wording(prompts.GENERATOR_FAILED.format(why=error))
            return None
        if not work.cancelled.is_set() and work.seconds_left(self._settings) <= 0:
            work.stop_wording(prompts.OUT_OF_TIME)
        if not text:
            return None
        reason = writing.flaw(text, item.sentence.text, finished=finished) or self._objection(text, item)
        return work.reject(text, reason) if reason else text

    def _objection(self, text: str, item: Evidence) -> str:
        """What the sentence it was made from, the one before and the title do not support."""
        before = self.index.sentences(item.paper.paper_id)[: item.sentence.position][-1:]
        source = grounding.Source(item.paper, (*before, item.sentence))
        subject = prompts.subject_of(item.paper.title)
        return (
            rewording.departure(text, item.sentence.text, subject, before[0].text if before else "")
            or grounding.check(text, [source], self.weight, self._similarity).reason
        )

    def weight(self, term: str) -> float:
        """Inverse document frequency of a stemmed term in the collection (the BM25 form, never negative)."""
        papers, holding = len(self.index.papers), self.index.document_frequency(term)
        return math.log(1.0 + (papers - holding + 0.5) / (holding + 0.5))

    def _cosine(self, one: str, other: str) -> float:
        vectors = self._embedder.encode([one]), self._embedder.encode([other])
        return float(vectors[0][0] @ vectors[1][0])

    def _finished(self, work: _Work, found: Retrieval) -> Answer:
        composer = work.composer
        answered = bool(composer.statements)
        return Answer(
            question=work.question,
            answered=answered,
            confidence=work.confidence if answered else "refusal",
            statements=tuple(composer.statements),
            citations=composer.citations,
            hits=found.hits,
            reason=work.reason if answered else work.reason or prompts.NO_ANSWER,
            rejected=work.rejected,
            generator=self._generator.name if self._generator is not None else "none (quotations)",
            nearest=work.nearest,
            timings=work.timings | {"total_s": round(work.elapsed(), 4)},
        )


@dataclass(slots=True)
class _Work:
    """One answer in the making."""

    question: str
    cancelled: threading.Event
    composer: Composer = field(default_factory=Composer)
    confidence: Confidence = "answer"
    reason: str | None = None
    nearest: float | None = None
    rejected: int = 0
    tries: int = 0
    timings: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)

    def elapsed(self) -> float:
        return time.perf_counter() - self._started

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled("stopped")

    def searched(self) -> None:
        self.timings["search_s"] = round(self.elapsed(), 4)

    def selected(self, confidence: Confidence, reason: str | None) -> None:
        self.timings["evidence_s"] = round(self.elapsed() - self.timings["search_s"], 4)
        self.confidence, self.reason = confidence, reason

    def full(self, item: Evidence) -> bool:
        """Whether there is no more room for the sentence; the first one always fits."""
        length = len(item.sentence.text.split())
        return bool(self.composer.statements) and self.composer.words + length > WORDS

    def seconds_left(self, settings: Settings) -> float:
        """Seconds left for writing."""
        return max(0.0, settings.time_limit_s - self.elapsed())

    def stop_wording(self, why: str) -> None:
        """Quote from here on, and say why."""
        self.tries = WORDED
        self.reason = why if self.reason is None else f"{self.reason} {why}"

    def state(self, text: str, item: Evidence, *, quoted: bool) -> Stated:
        self.timings.setdefault("first_statement_s", round(self.elapsed(), 4))
        return self.composer.state(text, [item], "quoted" if quoted else "supported")

    def reject(self, text: str, reason: str) -> Rejected:
        self.rejected += 1
        return Rejected(text, reason)


def _generator(settings: Settings) -> tuple[Generator | None, tuple[str, ...]]:
    """The generator that the settings name, or none and a line that says how to get one."""
    if settings.generator == "none":
        return None, ()
    from rag.models.local import load_generator
    from rag.models.weights import find_generator

    try:
        return load_generator(find_generator(settings.generator, settings.cache), settings.device), ()
    except ModelMissing:
        if settings.generator != "default":
            raise
        return None, (prompts.NO_GENERATOR,)


def _closable(pieces: Iterator[str]) -> Closable[str, None, None]:
    """A generator around any iterator, so that leaving the loop closes it and ends the computation."""
    yield from pieces


def _is_quotation(text: str, item: Evidence) -> bool:
    """Whether the model gave the sentence, or a part of it, back word by word."""
    return text.casefold().rstrip(".") in item.sentence.text.casefold()


def _told(item: Evidence, composer: Composer) -> bool:
    """Whether a statement already tells what this sentence does."""
    content = keys(token for token in tokens(item.sentence.text) if token.content and not token.free)
    return any(
        len(content & keys(tokens(statement.text))) >= TOLD * max(1, len(content)) for statement in composer.statements
    )


def _in_reading_order(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Papers in the order of their best sentence; the sentences of a paper as they stand in its abstract."""
    papers = list(dict.fromkeys(item.paper.paper_id for item in evidence))
    return sorted(evidence, key=lambda item: (papers.index(item.paper.paper_id), item.sentence.position))
