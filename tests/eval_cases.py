"""What the tests of the evaluation share: a made-up collection, questions about it, and assistants good and bad."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from eval.datasets import Question
from eval.subjects import Subject
from rag.records import (
    Answer,
    Citation,
    Event,
    Evidence,
    Finished,
    Hit,
    Paper,
    Scope,
    Searched,
    Selected,
    Sentence,
    Stated,
    Statement,
    Turn,
)
from rag.text import sentences, terms


def paper(name: str, title: str, abstract: str) -> Paper:
    return Paper(name, title, abstract)


COLLECTION = {
    each.paper_id: each
    for each in (
        paper("pruna", "Pruna: Pruning Heads", "Pruna removes attention heads. Pruna halves the memory of GPT-9."),
        paper("osca", "Osca: A Polish Corpus", "Osca gathers Polish newspapers. Osca holds 145 GB of Polish text."),
        paper("bee", "Bees and Dances", "Foraging bees dance for nestmates. Dancing bees point at the sun."),
        paper("tide", "Tides by Neural Nets", "Tides are forecast from buoys. Forecasting tides takes 3 seconds."),
        paper("sol", "Solar Glass", "Windows catch light. Coated panels reach an efficiency of 31%."),
        paper("moss", "Moss Genomes", "Moss genomes are assembled. Assembled moss genomes have 27 chromosomes."),
    )
}


def question(name: str, text: str, gold: str, *fact: str, kind: str = "fact", split: str = "dev") -> Question:
    return Question(
        name,
        text,
        gold_titles=(COLLECTION[gold].title,) if gold else (),
        facts=(fact,) if fact else (),
        type=kind,
        split=split,
    )


QUESTIONS = (
    question("memory", "How much memory does Pruna save on GPT-9?", "pruna", "halves"),
    question("corpus", "How much Polish text does Osca hold?", "osca", "145 GB", "145GB"),
    question("bees", "At what do dancing bees point?", "bee", "sun", split="test"),
    question("tides", "How long does forecasting tides take?", "tide", "3 seconds", split="test"),
    question("glass", "Which paper is about the efficiency of coated panels?", "sol", "Solar Glass", kind="which"),
    question("moss", "How many chromosomes have assembled moss genomes?", "moss", "27"),
    question("volcano", "Why do volcanoes erupt in Iceland?", "", kind="unanswerable"),
    question("opera", "Who composed the opera Carmen?", "", kind="unanswerable", split="test"),
)


class Honest:
    """Quotes the sentence that shares most words with the question, and refuses where it shares fewer than half."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Turn, ...], Scope]] = []

    def stream(self, question: str, history: Sequence[Turn] = (), *, scope: Scope = Scope()) -> Iterator[Event]:
        self.asked.append((question, tuple(history), scope))
        ranked = self.ranked(question, scope)
        yield Searched(tuple(Hit(each.paper, (), each.score) for each in ranked))
        sure = ranked[0].score if ranked else 0.0
        answer = self.answer(question, ranked, sure)
        yield Selected(tuple(ranked[:1]) if answer.answered else ())
        for statement in answer.statements:
            yield Stated(statement, answer.citations)
        yield Finished(replace(answer, hits=(), nearest=sure, generator="honest"))

    def ranked(self, question: str, scope: Scope) -> list[Evidence]:
        """The best sentence of each paper, the best one first."""
        wanted = set(terms(question))

        def best(each: Paper) -> Evidence:
            spans = sentences(each.abstract)
            found = [(len(wanted & set(terms(each.abstract[a:b]))) / len(wanted), a, b) for a, b in spans]
            score, start, end = max(found, key=lambda one: (one[0], one[1]))
            return Evidence(each, Sentence(each.paper_id, 0, start, end, each.abstract[start:end]), score)

        papers = [each for each in COLLECTION.values() if scope.holds(each)]
        return sorted(map(best, papers), key=lambda each: -each.score)

    def answer(self, question: str, ranked: Sequence[Evidence], sure: float) -> Answer:
        return stated(question, ranked[:1]) if sure >= 0.5 else Answer(question, False, "refusal", reason="not here")


def stated(question: str, evidence: Sequence[Evidence]) -> Answer:
    """An answer that quotes each piece of evidence and cites its paper."""
    return Answer(
        question,
        True,
        "answer",
        tuple(Statement(each.sentence.text, (number,), "quoted") for number, each in enumerate(evidence, start=1)),
        tuple(Citation(number, each.paper, (each,)) for number, each in enumerate(evidence, start=1)),
    )


class CitesAnotherPaper(Honest):
    """Says what is true and names the wrong source for it."""

    def answer(self, question: str, ranked: Sequence[Evidence], sure: float) -> Answer:
        answer = super().answer(question, ranked, sure)
        wrong = tuple(Citation(each.number, ranked[-1].paper) for each in answer.citations)
        return replace(answer, citations=wrong)


class AnswersEverything(Honest):
    def answer(self, question: str, ranked: Sequence[Evidence], sure: float) -> Answer:
        return super().answer(question, ranked, 1.0)


class RefusesEverything(Honest):
    def answer(self, question: str, ranked: Sequence[Evidence], sure: float) -> Answer:
        return super().answer(question, ranked, 0.0)


class CopiesAbstracts(Honest):
    """Hands over three whole abstracts."""

    def answer(self, question: str, ranked: Sequence[Evidence], sure: float) -> Answer:
        if sure < 0.5:
            return super().answer(question, ranked, sure)
        whole = [
            replace(each, sentence=replace(each.sentence, start=0, end=len(text), text=text))
            for each in ranked[:3]
            for text in [each.paper.abstract]
        ]
        return stated(question, whole)


class MakesUpPapers(Honest):
    """Cites a paper that nobody has."""

    def answer(self, question: str, ranked: Sequence[Evidence], sure: float) -> Answer:
        answer = super().answer(question, ranked, sure)
        nowhere = Paper("nowhere", "A Paper That Is Not There", "Nothing.")
        return replace(answer, citations=tuple(Citation(each.number, nowhere) for each in answer.citations))


class Fails(Honest):
    """Fails on questions with this word in them, after it has begun to answer."""

    def __init__(self, word: str, error: BaseException | None = None) -> None:
        super().__init__()
        self.word, self.error = word, error or RuntimeError("out of\nmemory")

    def answer(self, question: str, ranked: Sequence[Evidence], sure: float) -> Answer:
        if self.word in question:
            raise self.error
        return super().answer(question, ranked, sure)


class Slow(Honest):
    def answer(self, question: str, ranked: Sequence[Evidence], sure: float) -> Answer:
        time.sleep(0.02)
        return super().answer(question, ranked, sure)


def subject(assistant: Honest, name: str = "none", identity: str = "") -> Subject:
    return Subject(name, assistant, COLLECTION, identity or type(assistant).__name__)
