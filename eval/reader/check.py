"""Are the examples what they say? One line for each that is not; knows no model.

What the reader is taught to say has to follow its sentence as closely as the assistant demands of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from eval.reader.examples import Example
from rag.answering import condensing
from rag.answering.tokens import tokens

SHORTEST, LONGEST = 8, 37
"""Words of a statement: 10 to 35 are asked for, and two more or less are no reason to send one back."""

_SPEAKER = re.compile(
    r"\b(?:we|our|ours|this (?:study|paper|work|article)|the (?:authors|study|paper))\b", re.IGNORECASE
)


def problems(examples: Sequence[Example]) -> list[str]:
    """What is wrong, one line each, in the order of the examples."""
    found = [f"{example.id}: {problem}" for example in examples for problem in _of_one(example)]
    return [*found, *_doubles(examples)]


def counts(examples: Sequence[Example]) -> dict[str, int]:
    """How many examples there are of each kind, and in all."""
    kinds = Counter(example.kind for example in examples)
    return {
        **dict(sorted(kinds.items())),
        "without a statement": sum(not example.statement for example in examples),
        "held back": sum(example.held for example in examples),
        "papers": len({example.paper for example in examples}),
        "in all": len(examples),
    }


def _of_one(example: Example) -> Iterator[str]:
    statement = example.statement
    if not statement:
        return
    source = " ".join((example.title, example.before, example.sentence))
    length = len(statement.split())
    if not SHORTEST <= length <= LONGEST:
        yield f"{length} words, {SHORTEST} to {LONGEST} are allowed"
    if not statement.endswith("."):
        yield "does not end with a full stop"
    if spoken := _SPEAKER.search(statement):
        yield f"says {spoken[0]!r}"
    if departs := condensing.departure(statement, example.sentence, example.title, example.before):
        yield departs
    yield from (f"the number {number} is not in its source" for number in _numbers(statement, source))


def _numbers(statement: str, source: str) -> list[str]:
    held = [token.quantity for token in tokens(source) if token.quantity is not None]
    return [
        token.text
        for token in tokens(statement)
        if token.quantity is not None and token.text[0].isdigit() and not any(map(token.quantity.agrees, held))
    ]


def _doubles(examples: Sequence[Example]) -> list[str]:
    ids = Counter(example.id for example in examples)
    asked = Counter((example.question, example.sentence) for example in examples)
    said = Counter(example.statement for example in examples if example.statement)
    return [
        *(f"{name}: stands {count} times" for name, count in ids.items() if count > 1),
        *(f"the same question and sentence {count} times: {key[0]!r}" for key, count in asked.items() if count > 1),
        *(f"the same statement {count} times: {text!r}" for text, count in said.items() if count > 1),
    ]
