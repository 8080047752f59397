"""Checks a question file against the shipped collection: `python -m eval.check [FILE]`, the shipped set by default.

Prints every violation, one a line, and exits 1 if there is any. The shipped set is held to the rules that it was
written by; of another file only what holds of any is asked: that it can be read, and that the collection has the
papers it names. Knows nothing of how questions are run.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from eval.datasets import Question, read_questions, shipped
from eval.metrics import states
from rag.errors import FootnoteError
from rag.papers import bundled, read_papers
from rag.records import Paper, Turn

COUNTS: Final[Mapping[str, int]] = {
    "fact": 50,
    "method": 20,
    "paraphrase": 40,
    "multi": 30,
    "which": 15,
    "followup": 15,
    "typo": 10,
    "unanswerable": 45,
    "offtopic": 15,
}
"""Questions of each type in the shipped set."""

NO_ANSWER: Final = frozenset({"unanswerable", "offtopic"})
GOLD_PAPERS: Final = 140
"""Different papers that must be gold somewhere: nearly half of the collection."""

RUN: Final = 7
"""Words in a row that a question may not share with a gold paper: it would be looked up, not asked."""

SPLITS: Final = frozenset({"dev", "test"})


def violations(
    questions: Sequence[Question], papers: Iterable[Paper], counts: Mapping[str, int] = COUNTS
) -> Iterator[str]:
    """Everything in which `questions` break the rules: question by question, then the set as a whole."""
    by_title = {paper.title: paper for paper in papers}
    for question in questions:
        gold = [by_title[title] for title in question.gold_titles if title in by_title]
        for problem in chain(_gold(question, by_title), _facts(question, gold), _wording(question, gold)):
            yield f"{question.id}: {problem}"
    yield from _counted(questions, counts)
    yield from _spread(questions)
    yield from _halves(questions)


def unknown_titles(questions: Sequence[Question], papers: Iterable[Paper]) -> Iterator[str]:
    """Gold titles of papers that are not there: all that can be wrong with a set written by rules of its own."""
    known = {paper.title for paper in papers}
    for question in questions:
        yield from (f"{question.id}: {problem}" for problem in _unknown(question, known))


def _unknown(question: Question, known: Container[str]) -> Iterator[str]:
    return (f"unknown gold title {title!r}" for title in question.gold_titles if title not in known)


def _gold(question: Question, by_title: Mapping[str, Paper]) -> Iterator[str]:
    yield from _unknown(question, by_title)
    if (question.type in NO_ANSWER) != (question.answerable is False):
        yield f"type {question.type!r} with {len(question.gold_titles)} gold titles"
    if question.answerable and not question.facts:
        yield "answerable, but without facts"
    if (question.type == "followup") != bool(question.history):
        yield f"type {question.type!r} with {len(question.history)} earlier questions"
    if question.type == "multi" and not 2 <= len(question.gold_titles) <= 5:
        yield f"a multi-paper question with {len(question.gold_titles)} gold titles"


def _facts(question: Question, gold: Sequence[Paper]) -> Iterator[str]:
    """Facts that no gold paper states, and facts that the question gives away."""
    sources = [paper.abstract for paper in gold]
    if question.type == "which":
        sources += [paper.title for paper in gold]
    for fact in question.facts:
        if not any(states(source, fact) for source in sources):
            yield f"no gold paper says {' / '.join(fact)!r}"
        for wording in fact:
            if states(_asked(question), (wording,)):
                yield f"the question itself says {wording!r}"


def _wording(question: Question, gold: Sequence[Paper]) -> Iterator[str]:
    """Runs of words taken over from a gold paper."""
    taken = set(chain.from_iterable(_runs(text) for paper in gold for text in (paper.title, paper.abstract)))
    for text in _questions(question):
        shared = [run for run in _runs(text) if run in taken]
        if shared:
            yield f"shares {RUN} words with a gold paper: {' '.join(shared[0])!r}"


def _runs(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return [tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1)]


def _questions(question: Question) -> list[str]:
    """The texts that a person typed: the earlier questions, then this one."""
    earlier = [turn.question if isinstance(turn, Turn) else turn for turn in question.history]
    return [*earlier, question.question]


def _asked(question: Question) -> str:
    return "\n".join(_questions(question))


def _counted(questions: Sequence[Question], counts: Mapping[str, int]) -> Iterator[str]:
    found = Counter(question.type for question in questions)
    for kind in sorted(counts.keys() | found.keys()):
        if found[kind] != counts.get(kind, 0):
            yield f"{found[kind]} questions of type {kind!r}, expected {counts.get(kind, 0)}"


def _spread(questions: Sequence[Question]) -> Iterator[str]:
    gold = {title for question in questions for title in question.gold_titles}
    if len(gold) < GOLD_PAPERS:
        yield f"{len(gold)} different gold papers, at least {GOLD_PAPERS} expected"
    asked = Counter(_asked(question).casefold() for question in questions)
    for text, times in asked.items():
        if times > 1:
            yield f"asked {times} times: {text!r}"


def _halves(questions: Sequence[Question]) -> Iterator[str]:
    """What is tuned on must not be reported on: no paper in both halves, and each type near half in each."""
    splits_of: dict[str, set[str]] = defaultdict(set)
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    for question in questions:
        sizes[question.type][question.split] += 1
        for title in question.gold_titles:
            splits_of[title].add(question.split)
        if question.split not in SPLITS:
            yield f"{question.id}: split {question.split!r}, expected dev or test"
    for title, splits in splits_of.items():
        if len(splits) > 1:
            yield f"gold in {' and '.join(sorted(splits))}: {title!r}"
    for kind, size in sorted(sizes.items()):
        if abs(size["dev"] - size["test"]) > max(2, size.total() // 5):
            yield f"type {kind!r} is split {size['dev']} dev to {size['test']} test, about half each expected"


def main(arguments: Sequence[str]) -> int:
    """Checks the file named in `arguments`, or the shipped set; the exit code."""
    path = Path(arguments[0]) if arguments else shipped()
    try:
        questions = read_questions(path)
        papers = read_papers([bundled()]).papers
    except FootnoteError as error:
        print(error, file=sys.stderr)
        return 1
    ours = path.resolve() == shipped().resolve()
    found = list(violations(questions, papers) if ours else unknown_titles(questions, papers))
    print(*found, sep="\n") if found else print(f"{path}: {len(questions)} questions, no violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
