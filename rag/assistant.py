"""The front door: a question and its history in, typed events and a cited answer out.

`Assistant.stream` reads as the steps of an answer: search, pick evidence, decide whether it is enough, and state it
sentence by sentence: worded by the model where that passes the checks, quoted where not. The steps themselves live in
`rag.answering` and do not know each other.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rag.answering import prompts
from rag.answering.calibration import Sufficiency, stored_sufficiency
from rag.answering.composing import Composer
from rag.answering.evidence import (
    BEST,
    BROAD,
    Breadth,
    LearnedSelector,
    Selector,
    breadth,
    nearest,
    quotable,
)
from rag.answering.followup import Query, contextualise
from rag.answering.retriever import Retrieval, Retriever
from rag.answering.summarising import themes
from rag.answering.tokens import keys, tokens
from rag.answering.vocabulary import all_in_one, mended, unknown_share, unknown_words
from rag.errors import Cancelled, ModelMissing
from rag.index.live import LiveIndex, open_index
from rag.models import Embedder, Generator, Limits, Vectors, iterating
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
    Theme,
    Turn,
)
from rag.settings import Settings, load_settings
from rag.text import clean_question
from rag.wording import Entailing, Wording, Writer

if TYPE_CHECKING:
    from rag.models.entailment import Entailment

TOLD: Final = 0.6
"""Share of a sentence's content that one chosen before it holds when there is no need to state it again."""


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
        sufficiency: Sufficiency | None = None,
        entailment: Entailing | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Parts that are open already; `generator=None` quotes only, `entailment=None` checks by rules alone.

        `Assistant.open` is the ordinary way in.
        """
        self.index = index
        self._embedder = embedder
        self._generator = generator
        self._entailment = entailment
        self._settings = settings
        self._notes = tuple(notes)
        self._retriever = Retriever(index, embedder, passages_searched=settings.passages_searched, rrf_k=settings.rrf_k)
        self._selector = selector or LearnedSelector(index, self.weight)
        self._sufficiency = sufficiency or stored_sufficiency(index.manifest.calibration)
        self._encoded = lru_cache(maxsize=256)(self._encode)

    @classmethod
    def open(cls, settings: Settings | None = None, *, writes: bool = True) -> Assistant:
        """The assistant on the live index, with the models that the settings name.

        `writes=False` loads no language model. Raises NoIndex or IndexMismatch where there is no index to use, and
        ModelMissing, ModelDamaged or BadInput where a model that is named cannot be used; that no language model was
        pulled is told in `notes` and answers are quoted.
        """
        from rag.models.embedder import load_embedder
        from rag.models.weights import find_embedder

        settings = settings or load_settings()
        weights = find_embedder(settings.embedder, settings.cache)
        index = open_index(settings.index, weights.name, weights.fingerprint)
        try:
            embedder = load_embedder(weights, settings.device)
            generator, notes = _generator(settings) if writes else (None, ())
            entailment = open_entailment(settings) if generator is not None else None
        except BaseException:
            index.close()
            raise
        return cls(index, embedder, generator, settings, entailment=entailment, notes=notes)

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
        """Ranked papers for the words as they stand, best first. Raises BadQuestion for an empty or too long one."""
        return self._search(contextualise(self._clean(question), (), scope), top_k).hits

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        top_k: int | None = None,
        scope: Scope = Scope(),
        summary: bool = False,
        cancelled: threading.Event | None = None,
    ) -> Answer:
        """The answer, once it is finished. Raises as `stream` does."""
        for event in self.stream(question, history, top_k=top_k, scope=scope, summary=summary, cancelled=cancelled):
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
        summary: bool = False,
        cancelled: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Events as they happen, `Finished` last; a statement, once stated, is never withdrawn.

        `summary` asks what several papers say, one or two statements of each, ordered by theme. Raises BadQuestion
        for an empty or over-long question, Cancelled when `cancelled` is set meanwhile.
        """
        work = _Work(self._clean(question), cancelled or threading.Event())
        found = self.retrieve(work.question, history, top_k, scope)
        work.searched()
        yield Searched(found.hits)

        picked = self._pick(found, summary)
        grouped = self._themes(picked, found.query.text) if summary else ()
        evidence = _in_reading_order(picked, grouped)
        if not summary:  # in which papers that say the same are the point
            evidence = _worth_stating(evidence, breadth(found.query.text))
        work.nearest = self._nearest(found)
        work.confidence, work.reason = self._enough(found, work.nearest)
        if work.confidence != "refusal":
            work.themes = grouped
        work.selected()
        yield Selected(() if work.confidence == "refusal" else picked, work.confidence, work.reason, work.themes)

        if work.confidence != "refusal":
            yield from self._state(work, found, evidence)
        yield Finished(self._finished(work, found))

    def _pick(self, found: Retrieval, summary: bool) -> tuple[Evidence, ...]:
        """The evidence: of several papers for a summary, else as much as the writer condenses or a reader reads."""
        if summary:
            return self._selector.survey(found.query.text, found.vector, found.hits)
        picked = self._selector.select(found.query.text, found.vector, found.hits)
        condensed = self._generator is not None and self._generator.taught
        return picked if condensed else quotable(picked, found.query.text)

    def _themes(self, picked: Sequence[Evidence], question: str) -> tuple[Theme, ...]:
        places = [(item.paper.paper_id, item.sentence.position) for item in picked]
        vectors = {place: self.index.sentence_vectors(place[0])[place[1]] for place in places}
        return themes(picked, vectors, question, self.weight)

    def _clean(self, question: str) -> str:
        return clean_question(question, self._settings.max_question_chars)

    def retrieve(self, question: str, history: Sequence[Turn], top_k: int | None, scope: Scope) -> Retrieval:
        """What a clean question finds after `history`: the query it stands for, its vector and the ranked papers.

        Where that is doubtful, it is searched once more with its mistyped words mended, and the nearer result stands.
        """
        query = contextualise(question, history, scope)
        found = self._search(query, top_k)
        similarity = self._nearest(found)
        if self._sufficiency.confidence(similarity) == "answer":
            return found
        text, put_in = mended(query.text, self.index.document_frequency, self._is_word)
        if not put_in:
            return found
        meant = self._search(replace(query, text=text), top_k)
        return replace(meant, put_in=put_in) if self._nearest(meant) > similarity else found

    def _search(self, query: Query, top_k: int | None) -> Retrieval:
        return self._retriever.retrieve(query, top_k or self._settings.top_k)

    def _nearest(self, found: Retrieval) -> float:
        return nearest(found.vector, found.hits, self.index)

    def _is_word(self, word: str) -> bool:
        """Whether the sentence encoder holds the word in one piece, as it holds any common one."""
        one, typed = self._embedder.sentences.count_tokens(["a", word])
        return typed <= one

    def _enough(self, found: Retrieval, similarity: float) -> tuple[Confidence, str | None]:
        """How far the evidence can be trusted to answer, and what is to be said of it."""
        if not found.hits:
            return "refusal", prompts.NOTHING_IN_SCOPE
        read_as = prompts.READ_AS.format(words=", ".join(found.put_in)) if found.put_in else None
        if self._sufficiency.confidence(similarity) == "answer":
            return "answer", read_as
        known = self.index.document_frequency
        confidence = self._sufficiency.confidence(similarity, unknown_share(found.query.text, self.weight, known))
        if confidence == "refusal" and self._asks_for_what_is_there(found):
            confidence = "caution"
        unknown = unknown_words(found.query.text, known)
        why = prompts.NO_ANSWER if confidence == "refusal" else prompts.MAY_NOT_BE_ASKED
        named = prompts.UNKNOWN_WORDS.format(words=", ".join(unknown)) if unknown else None
        return confidence, " ".join(filter(None, (why, named, read_as)))

    def _asks_for_what_is_there(self, found: Retrieval) -> bool:
        """Whether a question is about papers of the collection, though no sentence is like it: one that leans on the
        answer before, or a name by itself."""
        return found.query.leans or all_in_one(found.query.text, [hit.paper for hit in found.hits[:BEST]])

    def _state(self, work: _Work, found: Retrieval, evidence: Sequence[Evidence]) -> Iterator[Event]:
        """State the evidence, sentence by sentence; each in the model's words or, failing that, in its own."""
        writer = self.writer()
        limits = Limits(self._settings.max_new_tokens, work.seconds_left(self._settings), work.cancelled)
        with closing(iterating(writer.write(found.query.text, evidence, limits))) as wordings:
            for wording in wordings:
                work.check_cancelled()
                if wording.rejected is not None:
                    yield work.reject(wording.rejected)
                yield work.state(wording)
        work.check_cancelled()
        work.add_reason(writer.note)

    def writer(self) -> Writer:
        """What words the sentences of one answer."""
        return Writer(self._generator, self.index, self.weight, self._cosine, self._entailment)

    def weight(self, term: str) -> float:
        """Inverse document frequency of a stemmed term in the collection (the BM25 form, never negative)."""
        papers, holding = len(self.index.papers), self.index.document_frequency(term)
        return math.log(1.0 + (papers - holding + 0.5) / (holding + 0.5))

    def _cosine(self, one: str, other: str) -> float:
        return float(self._encoded(one) @ self._encoded(other))

    def _encode(self, text: str) -> Vectors:
        vector: Vectors = self._embedder.encode([text])[0]
        return vector

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
            themes=work.themes,
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
    themes: tuple[Theme, ...] = ()
    rejected: int = 0
    timings: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.perf_counter)

    def elapsed(self) -> float:
        return time.perf_counter() - self._started

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled("stopped")

    def searched(self) -> None:
        self.timings["search_s"] = round(self.elapsed(), 4)

    def selected(self) -> None:
        self.timings["evidence_s"] = round(self.elapsed() - self.timings["search_s"], 4)

    def seconds_left(self, settings: Settings) -> float:
        """Seconds left for writing."""
        return max(0.0, settings.time_limit_s - self.elapsed())

    def add_reason(self, why: str) -> None:
        if why:
            self.reason = why if self.reason is None else f"{self.reason} {why}"

    def state(self, wording: Wording) -> Stated:
        self.timings.setdefault("first_statement_s", round(self.elapsed(), 4))
        return self.composer.state(wording.text, [wording.item], "quoted" if wording.quoted else "supported")

    def reject(self, rejected: Rejected) -> Rejected:
        self.rejected += 1
        return rejected


def _generator(settings: Settings) -> tuple[Generator | None, tuple[str, ...]]:
    """The generator that the settings name, or none and a line that says how to get one."""
    if settings.generator == "none":
        return None, ()
    from rag.models.choosing import open_generator

    try:
        generator = open_generator(settings.generator, settings.cache, settings.device, settings.engine)
        return generator, (generator.note,) if generator.note else ()
    except ModelMissing as error:
        if settings.generator != "default":
            raise
        return None, (f"answers are quoted: {error}",)


def open_entailment(settings: Settings) -> Entailment | None:
    """The NLI model that the settings name, or none. Raises BadInput, ModelMissing, ModelDamaged."""
    if not settings.nli:
        return None
    from rag.models.entailment import load_entailment

    return load_entailment(settings.nli, settings.cache, settings.device)


def _in_reading_order(evidence: Sequence[Evidence], themes: Sequence[Theme]) -> list[Evidence]:
    """Papers by theme, or in the order of their best sentence; the sentences of a paper as they stand in it."""
    by_theme = [paper_id for theme in themes for paper_id in theme.paper_ids]
    papers = by_theme or list(dict.fromkeys(item.paper.paper_id for item in evidence))
    return sorted(evidence, key=lambda item: (papers.index(item.paper.paper_id), item.sentence.position))


def _worth_stating(evidence: Sequence[Evidence], wide: Breadth) -> list[Evidence]:
    """Without what was told already or would make the answer too long.

    Where several papers are asked for, that another one says the same is worth stating.
    """
    chosen: list[Evidence] = []
    for item in evidence:
        length = sum(len(each.sentence.text.split()) for each in (*chosen, item))
        before = [each for each in chosen if wide is not BROAD or each.paper.paper_id == item.paper.paper_id]
        if not chosen or (length <= wide.words and not _told(item, before)):
            chosen.append(item)
    return chosen


def _told(item: Evidence, chosen: Sequence[Evidence]) -> bool:
    """Whether a sentence chosen before already tells what this one does."""
    content = keys(token for token in tokens(item.sentence.text) if token.content and not token.free)
    return any(len(content & keys(tokens(other.sentence.text))) >= TOLD * max(1, len(content)) for other in chosen)
