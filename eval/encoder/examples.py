"""What the sentence encoder learns from: questions, and the sentences of an abstract that answer them.

    {"corpus": "collection", "question": "…", "papers": ["bipft-…"], "answers": [["bipft-…", 2]], "also": []}

`answers` and `also` (what bears on the answer without giving it) name sentences by paper and position; where a question
asks for what its papers do not tell, `answers` is empty. A paper of the shipped collection that `held_back` names is
never learned from: on those the weights of the evidence features are learned and the encoder is measured. No paper of a
`test` question is in the file. What does not answer a question comes from the corpus, which therefore holds no other
papers than those learned from.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from eval.lines import read_lines
from rag.errors import BadInput
from rag.index.passages import embedded_text, sentences_of
from rag.models import Embedder, Vectors
from rag.records import Paper

SHIPPED: Final = Path(__file__).with_name("labels.jsonl")

NEAR: Final = 8
"""Papers nearest to a question, from which what does not answer it is taken."""

NEAREST: Final = 2
"""Sentences of each of them."""

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One question with the places of the sentences that answer it, if any do, and of those that bear on it."""

    corpus: str
    question: str
    papers: frozenset[str]
    answers: tuple[Place, ...]
    also: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The texts of every sentence by paper, title in front, as they are embedded."""

    texts: Mapping[str, tuple[str, ...]]

    def text(self, place: Place) -> str:
        """The text at a place."""
        return self.texts[place[0]][place[1]]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question, what answers it, and what does not: beside it in the same papers, and in the papers nearest."""

    labelled: Labelled
    beside: tuple[Place, ...]
    elsewhere: tuple[Place, ...]

    def drawn(self, count: int, chance: random.Random) -> list[Place]:
        """One answer, then `count` sentences that do not answer, half of them from the answer's own paper.

        Where nothing answers, one more that does not, and most of them from the question's own papers.
        """
        if not self.labelled.answers:
            return self._misleading(count, chance)
        answer = chance.choice(self.labelled.answers)
        beside = [place for place in self.beside if place[0] == answer[0]]
        own = chance.sample(beside, min(count // 2, len(beside)))
        others = chance.sample(self.elsewhere, min(count - len(own), len(self.elsewhere)))
        return [answer, *own, *others]

    def _misleading(self, count: int, chance: random.Random) -> list[Place]:
        own = chance.sample(self.beside, min(count + 1, len(self.beside)))
        return own + chance.sample(self.elsewhere, min(count // 2, len(self.elsewhere)))


def held_back(paper_id: str) -> bool:
    """Whether a paper of the collection is kept out of the training: three in ten, by hash."""
    return int(hashlib.sha256(paper_id.encode()).hexdigest(), 16) % 10 < 3


def read_labelled(path: Path = SHIPPED) -> tuple[Labelled, ...]:
    """The questions of a file. Raises BadInput naming the first line that is none."""
    return read_lines(path, _labelled)


def _labelled(line: str, where: str) -> Labelled:
    try:
        row = json.loads(line)
        answers, also = ([(str(name), int(place)) for name, place in row[key]] for key in ("answers", "also"))
        papers = frozenset(map(str, row["papers"]))
        if not papers or not papers.issuperset(name for name, _ in (*answers, *also)):
            raise ValueError("it needs papers, and answers from no others")
        return Labelled(str(row["corpus"]), str(row["question"]), papers, tuple(answers), frozenset(also))
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{where}: not a labelled question ({error!r})") from None


def learned_from(labelled: Sequence[Labelled], corpora: Sequence[str]) -> list[Labelled]:
    """Those of these corpora whose papers are not held back."""
    return [
        each
        for each in labelled
        if each.corpus in corpora and (each.corpus != "collection" or not any(map(held_back, each.papers)))
    ]


def read_corpus(papers: Sequence[Paper]) -> Corpus:
    """The sentences of these papers, split as the index splits them."""
    return Corpus(
        {
            paper.paper_id: tuple(embedded_text(paper.title, each.text) for each in sentences_of(paper))
            for paper in papers
        }
    )


def lessons(labelled: Sequence[Labelled], corpus: Corpus, embedder: Embedder) -> list[Lesson]:
    """The questions with what does not answer them, by the untaught `embedder`'s likeness.

    Raises BadInput where the corpus lacks a sentence or a paper that they name.
    """
    _refuse_missing(labelled, corpus)
    names = list(corpus.texts)
    vectors = dict(zip(names, _embedded([corpus.texts[name] for name in names], embedder), strict=True))
    asked = embedder.encode([each.question for each in labelled])
    return [_lesson(each, vector, vectors) for each, vector in zip(labelled, asked, strict=True)]


def _refuse_missing(labelled: Sequence[Labelled], corpus: Corpus) -> None:
    for each in labelled:
        for name, place in (*each.answers, *sorted(each.also), *((name, 0) for name in sorted(each.papers))):
            if not 0 <= place < len(corpus.texts.get(name, ())):
                raise BadInput(f"sentence {place} of {name} is labelled and not there: index the shipped collection")


def _lesson(labelled: Labelled, question: Vectors, vectors: Mapping[str, Vectors]) -> Lesson:
    cosines = {name: each @ question for name, each in vectors.items()}
    near = sorted(cosines, key=lambda name: -float(cosines[name].max() + cosines[name].mean()))[:NEAR]
    elsewhere = [
        (name, int(place))
        for name in near
        if name not in labelled.papers
        for place in np.argsort(-cosines[name])[:NEAREST]
    ]
    known = labelled.also.union(labelled.answers)
    beside = [
        (name, place)
        for name in sorted(labelled.papers)
        for place in range(len(vectors[name]))
        if (name, place) not in known
    ]
    return Lesson(labelled, tuple(beside), tuple(elsewhere))


def _embedded(texts: Sequence[Sequence[str]], embedder: Embedder) -> list[Vectors]:
    flat = embedder.encode([text for mine in texts for text in mine])
    ends = np.cumsum([len(mine) for mine in texts])
    return [np.asarray(part) for part in np.split(flat, ends[:-1])]
