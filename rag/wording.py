"""Picked sentences to what an answer may state: worded by a model where that holds up, quoted where it does not.

Joins the steps that `rag.answering` keeps apart: a prompt for each sentence, the model's draft, its form, whether it
follows the sentence, and whether the source supports it, by the rules and, where one is named, by an NLI model.
Whatever fails is told and replaced by the quotation, so nothing is lost by trying. Knows nothing of search, of how
evidence is picked, or of numbers and citations.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from rag.answering import condensing, grounding, omissions, prompts, relations, rewording, writing
from rag.errors import ModelFailed
from rag.models import Generator, Guard, Limits, Message, iterating
from rag.records import Evidence, Rejected, Sentence
from rag.text import Weight

SURE: Final = -0.4
"""Mean log-probability from which a taught model's wording is taken up. By what was read by hand (`python -m
eval.benchmarks.wordings`), once the other rules have passed, a stricter line takes right ones away as fast as wrong.
"""

LONGER: Final = 2
"""Words that a condensed sentence may have more than its source: the subject's name in place of "it"."""

ENTAILED: Final = 0.5
"""Probability from which a wording counts as entailed: likelier than not."""

NLI_FAILED: Final = "the NLI model failed ({why}), so what it could not check is quoted"


class Reading(Protocol):
    """What is needed of an index."""

    def sentences(self, paper_id: str) -> tuple[Sentence, ...]:
        """The sentences of a paper, in order."""


class Entailing(Protocol):
    """What is needed of an NLI model."""

    def entailed(self, premise: str, statement: str) -> float:
        """The probability that `statement` follows from `premise`. Raises ModelFailed."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What may be stated of one picked sentence.

    `rejected` is the draft that was withheld in favour of the quotation.
    """

    item: Evidence
    text: str
    quoted: bool = True
    rejected: Rejected | None = None


@dataclass(slots=True)
class Writer:
    """Words the sentences of one answer.

    `entailment` has to agree with the rules, where there is one. `note` says afterwards why some of them were not
    worded, or is empty. Without `checks` whatever has the form of a sentence passes, which is only good for measuring
    what the checks are worth.
    """

    generator: Generator | None
    reading: Reading
    weight: Weight
    similarity: grounding.Similarity | None
    entailment: Entailing | None = None
    checks: bool = True
    note: str = ""

    def write(self, question: str, items: Sequence[Evidence], limits: Limits) -> Iterator[Wording]:
        """One wording for each item, in order, as soon as it is known; the model words all but the first together."""
        if self.generator is None or not items:
            yield from (Wording(item, item.sentence.text) for item in items)
            return
        chosen = {place: self._prompt(question, item) for place, item in enumerate(items) if self._worth(item)}
        guards = {place: _Guard(self, items[place]) for place in chosen} if self.generator.taught else {}
        drafts = _Drafts(self.generator, chosen, guards, limits)
        with closing(iterating(iter(drafts))) as told:
            for place, item in enumerate(items):
                draft = drafts.of(place, told) if place in chosen else None
                yield Wording(item, item.sentence.text) if draft is None else self._judged(draft, item)
        self.note = drafts.note or self.note

    def _worth(self, item: Evidence) -> bool:
        """Whether a model is to word the sentence: one that was not taught to condense has only those to mend that
        lean on their surroundings."""
        taught = self.generator is not None and self.generator.taught
        return not item.sentence.text.endswith("?") and (taught or writing.leans(item.sentence.text))

    def _prompt(self, question: str, item: Evidence) -> list[Message]:
        if self.generator is None or not self.generator.taught:
            return prompts.rewording_prompt(item.paper, item.sentence.text)
        return prompts.reading_prompt(question, item.paper.title, self._told_before(item), item.sentence.text)

    def _before(self, item: Evidence) -> tuple[Sentence, ...]:
        return self.reading.sentences(item.paper.paper_id)[: item.sentence.position][-1:]

    def _told_before(self, item: Evidence) -> str:
        return " ".join(sentence.text for sentence in self._before(item))

    def _judged(self, draft: str, item: Evidence) -> Wording:
        quotation = item.sentence.text
        if prompts.is_nothing(draft):
            return Wording(item, quotation)
        text, finished = writing.first_sentence(draft)
        if not text:
            return Wording(item, quotation)
        reason = self.objection(text, item, finished=finished) or (self.checks and self._doubt(text, item))
        if reason:
            return Wording(item, quotation, rejected=Rejected(text, reason))
        return Wording(item, text, quoted=writing.is_part(text, quotation))

    def objection(self, text: str, item: Evidence, *, finished: bool) -> str:
        """Why the wording may not be stated, by its form and the rules; "" where it may."""
        flaw = writing.flaw(text, finished=finished)
        if flaw or not self.checks:
            return flaw
        return self._departure(text, item) or self._unsupported(text, item)

    def astray(self, text: str, item: Evidence) -> str:
        """How the beginning of a wording already departs from the sentence; "" where it does not, or nothing checks."""
        if not self.checks:
            return ""
        sentence, title = item.sentence.text, item.paper.title
        return condensing.astray(text, sentence, title, self._told_before(item)) or relations.unrelated(text, sentence)

    def _departure(self, text: str, item: Evidence) -> str:
        """How the model departs from the sentence, by the rules for one that was taught to leave out, or was not."""
        sentence, title = item.sentence.text, item.paper.title
        if self.generator is not None and self.generator.taught:
            return (
                condensing.departure(text, sentence, title, self._told_before(item))
                or relations.unrelated(text, sentence)
                or omissions.untold(text, sentence)
            )
        return (
            condensing.repetition(text, sentence)
            or condensing.renumbered(text, sentence)
            or condensing.unbounded(text, sentence)
            or writing.loss(text, sentence)
            or rewording.departure(text, sentence, prompts.subject_of(title), self._told_before(item))
        )

    def _unsupported(self, text: str, item: Evidence) -> str:
        """What the sentence it was made from, the one before and the title do not support."""
        source = grounding.Source(item.paper, (*self._before(item), item.sentence))
        return grounding.check(text, [source], self.weight, self.similarity).reason

    def _doubt(self, text: str, item: Evidence) -> str:
        """Why the NLI model does not vouch for what passed the rules; one that fails vouches for nothing."""
        if self.entailment is None:
            return ""
        title = f"{item.paper.title.rstrip('.')}."
        premise = " ".join([title, *(sentence.text for sentence in (*self._before(item), item.sentence))])
        try:
            probability = self.entailment.entailed(premise, text)
        except ModelFailed as error:
            self.note = NLI_FAILED.format(why=error)
            return f"the NLI model could not check it: {error}"
        return "" if probability >= ENTAILED else f"the source does not entail it ({probability:.2f} by the NLI model)"


@dataclass(frozen=True, slots=True)
class _Guard:
    """Keeps a taught model to the sentences that it words: what may not be stated gives way to what is next likely.

    It knows the mark of a sentence that tells nothing, and is wrong about it too often, so that is barred too.
    """

    writer: Writer
    item: Evidence

    def begins(self, text: str) -> bool:
        """Whether nothing is wrong so far."""
        told = writing.cleaned(text)
        longer = len(told.split()) > len(self.item.sentence.text.split()) + LONGER
        return not (longer or prompts.is_nothing(told) or writing.unnamed(told) or self.writer.astray(told, self.item))

    def ends(self, text: str, certainty: float) -> bool:
        """Whether the wording may be stated."""
        if prompts.is_nothing(text) or (self.writer.checks and certainty < SURE):
            return False
        told, finished = writing.first_sentence(text)
        return bool(told) and not self.writer.objection(told, self.item, finished=finished)


@dataclass(slots=True)
class _Drafts:
    """What a model makes of several prompts, kept until it is asked for: the first alone, so that it can be read while
    the others are written together."""

    generator: Generator
    prompts: Mapping[int, Sequence[Message]]
    guards: Mapping[int, Guard]
    limits: Limits
    note: str = ""
    _texts: dict[int, str] = field(default_factory=dict)
    _complete: set[int] = field(default_factory=set)

    def __iter__(self) -> Iterator[None]:
        """Take in one piece after the other; a failing model ends it, with a note."""
        deadline = time.monotonic() + self.limits.seconds
        places = list(self.prompts)
        try:
            for batch in filter(None, (places[:1], places[1:])):
                left = max(0.0, deadline - time.monotonic())
                guards = [self.guards[place] for place in batch if place in self.guards]
                yield from self._taken(batch, replace(self.limits, seconds=left, guards=guards))
        except ModelFailed as error:
            self.note = prompts.GENERATOR_FAILED.format(why=error)
        else:
            if time.monotonic() >= deadline and not self.limits.cancelled.is_set():
                self.note = prompts.OUT_OF_TIME

    def _taken(self, places: Sequence[int], limits: Limits) -> Iterator[None]:
        asked = [self.prompts[place] for place in places]
        with closing(iterating(self.generator.stream_batch(asked, limits))) as pieces:
            for number, piece in pieces:
                if piece is None:
                    self._complete.add(places[number])
                else:
                    self._texts[places[number]] = self._texts.get(places[number], "") + piece
                yield

    def of(self, place: int, taken: Iterator[None]) -> str | None:
        """The draft for this place, waited for; None where the model failed or was stopped before it was complete."""
        while place not in self._complete and next(taken, self) is not self:
            pass
        return self._texts.get(place) if place in self._complete else None
