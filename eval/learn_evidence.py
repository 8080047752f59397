"""Learns the weights of `rag.answering.evidence` from labelled questions: `python -m eval.learn_evidence`.

A pairwise logistic regression: of two candidate sentences of one question, the one that states an expected fact and
stands in a gold paper should score higher (Joachims, "Optimizing search engines using clickthrough data", KDD 2002,
with the logistic loss). Each question counts once. Learned on the `dev` part and on `training.jsonl`, whose papers are
in no `test` question; of those only on questions with a gold paper that was kept back from the sentence encoder, or
its likeness would be believed too much. Five folds, no paper in two of them, tell what to expect on papers never seen.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from eval.datasets import Question, read_questions, shipped
from eval.encoder.examples import held_back
from eval.metrics import states
from rag.answering.evidence import breadth, gather, pick
from rag.answering.features import FEATURES, Candidate, matrix
from rag.answering.followup import contextualise
from rag.assistant import Assistant
from rag.records import Scope, Turn
from rag.settings import load_settings
from rag.text import normalise

FOLDS: Final = 5
STRENGTH: Final = 0.1
"""Inverse of the L2 penalty: between .03 and 1 the folds differ by less than .01."""

PAPERS_LEARNED: Final = 10
"""Papers whose sentences are learned from: two more than are read later, for theirs are the clearest wrong answers.
With eight, .781 instead of .805 of the papers picked for the `dev` questions are right, and .766 instead of .774 of
their facts are picked."""

WEIGHTS: Final = Path(__file__).parent.parent / "rag" / "answering" / "evidence_weights.json"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A question's candidates: features (n, features), which facts each states (n, facts), whether it is gold (n,)."""

    question: Question
    candidates: Sequence[Candidate]
    features: Floats
    states: NDArray[np.bool_]
    gold: NDArray[np.bool_]

    @property
    def answers(self) -> NDArray[np.bool_]:
        """Which candidates answer: they state a fact and stand in a gold paper."""
        answers: NDArray[np.bool_] = self.gold & self.states.any(axis=1)
        return answers

    def covered(self, weights: Floats) -> float:
        """Share of the facts that the sentences picked with `weights` state."""
        picked = pick(self.candidates, self.features @ weights, breadth(self.question.question))
        return float(self.states[picked].any(axis=0).mean())


def read_examples(assistant: Assistant, questions: Sequence[Question]) -> Iterator[Example]:
    """An example for each question that has gold papers and facts."""
    for question in questions:
        if question.gold_titles and question.facts:
            yield _example(assistant, question)


def learn(examples: Sequence[Example]) -> Floats:
    """One weight a feature, shape (features,)."""
    from sklearn.linear_model import LogisticRegression

    spread = np.vstack([example.features for example in examples]).std(axis=0) + 1e-6
    differences, counts = _pairs(examples, spread)
    model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=2000)
    model.fit(
        np.vstack([differences, -differences]),
        np.repeat([1, 0], len(differences)),
        sample_weight=np.concatenate([counts, counts]),
    )
    weights: Floats = model.coef_[0] / spread
    return weights


def cross_validated(examples: Sequence[Example]) -> dict[str, float]:
    """Share of facts stated on papers that were not learned from, per type of question."""
    fold = _folds(examples)
    shares: dict[str, list[float]] = {}
    for number in range(FOLDS):
        weights = learn([example for example, its in zip(examples, fold, strict=True) if its != number])
        for example, its in zip(examples, fold, strict=True):
            if its == number:
                for key in ("all", example.question.type or "other"):
                    shares.setdefault(key, []).append(example.covered(weights))
    return {key: float(np.mean(values)) for key, values in sorted(shares.items())}


def _example(assistant: Assistant, question: Question) -> Example:
    history = [turn if isinstance(turn, Turn) else Turn(turn) for turn in question.history]
    query = contextualise(question.question, history)
    found = assistant.retrieve(query.text, (), PAPERS_LEARNED, Scope())
    candidates = gather(found.hits[:PAPERS_LEARNED], assistant.index)
    titles = {normalise(title).casefold() for title in question.gold_titles}
    return Example(
        question,
        candidates,
        matrix(found.query.text, found.vector, candidates, assistant.weight),
        np.array([[states(_told(c, question), fact) for fact in question.facts] for c in candidates], dtype=np.bool_),
        np.array([c.hit.paper.title.casefold() in titles for c in candidates], dtype=np.bool_),
    )


def _told(candidate: Candidate, question: Question) -> str:
    """What quoting the candidate tells; a "which paper" question is answered by the cited title too."""
    text = candidate.sentence.text
    return f"{text} {candidate.hit.paper.title}" if question.type == "which" else text


def _pairs(examples: Sequence[Example], spread: Floats) -> tuple[Floats, Floats]:
    """Feature differences of every answering and not answering candidate, and what each pair counts."""
    differences: list[Floats] = []
    for example in examples:
        answers = example.answers
        if answers.any() and not answers.all():
            scaled = example.features / spread
            pairs = scaled[answers][:, None, :] - scaled[~answers][None, :, :]
            differences.append(pairs.reshape(-1, scaled.shape[1]))
    counts = np.concatenate([np.full(len(each), 1.0 / len(each)) for each in differences])
    return np.vstack(differences), counts


def _folds(examples: Sequence[Example]) -> list[int]:
    """A fold for each example, so that examples that share a gold paper share the fold."""
    leader: dict[str, str] = {}

    def root(title: str) -> str:
        while leader.setdefault(title, title) != title:
            title = leader[title]
        return title

    for example in examples:
        first, *rest = example.question.gold_titles
        for title in rest:
            leader[root(title)] = root(first)
    roots = [root(example.question.gold_titles[0]) for example in examples]
    number = {each: place % FOLDS for place, each in enumerate(dict.fromkeys(roots))}
    return [number[each] for each in roots]


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn, print what the folds say, write the weights."""
    parser = argparse.ArgumentParser(prog="python -m eval.learn_evidence", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    options = parser.parse_args(arguments)
    with Assistant.open(load_settings(), writes=False) as assistant:
        questions = [*_dev(read_questions(shipped())), *read_questions(shipped().with_name("training.jsonl"))]
        kept_back = {paper.title for paper in assistant.index.papers.values() if held_back(paper.paper_id)}
        examples = list(
            read_examples(assistant, [each for each in questions if kept_back.intersection(each.gold_titles)])
        )
    for key, share in cross_validated(examples).items():
        print(f"{key:12} {share:.3f}", file=sys.stderr)
    weights = learn(examples)
    record: dict[str, Any] = {
        "made_by": "python -m eval.learn_evidence",
        "examples": len(examples),
        "weights": {name: round(float(weight), 4) for name, weight in zip(FEATURES, weights, strict=True)},
    }
    options.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def _dev(questions: Sequence[Question]) -> list[Question]:
    return [question for question in questions if question.split == "dev"]


if __name__ == "__main__":
    raise SystemExit(main())
