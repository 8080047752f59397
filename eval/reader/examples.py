"""The examples that the reader is taught on: read whole or refused in one line; split by paper.

    {"id": "r0042", "paper": "3105781", "title": "Mobilization of intracellular copper stores by the ctr2 …",
     "question": "How do yeast cells free the copper that they store?", "before": "…", "sentence": "We demonstrate …",
     "statement": "Ctr2 mobilizes vacuolar copper stores, depending on residues …", "kind": "cause"}

An empty statement says that the sentence tells nothing about the question.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from eval.lines import read_lines
from rag.answering.prompts import NOTHING, reading_prompt
from rag.errors import BadInput
from rag.models import Message

SHIPPED: Final = Path(__file__).with_name("examples.jsonl")

HELD_SHARE: Final = 0.08
"""Share of the papers that no training sees: enough to tell when to stop."""


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence of a paper, chosen for a question, and what is to be said of it."""

    id: str
    paper: str
    title: str
    question: str
    before: str
    sentence: str
    statement: str
    kind: str

    @property
    def prompt(self) -> list[Message]:
        """What the model is given."""
        return reading_prompt(self.question, self.title, self.before, self.sentence)

    @property
    def target(self) -> str:
        """What the model is to say."""
        return self.statement or NOTHING

    @property
    def held(self) -> bool:
        """Whether its paper is kept out of the training."""
        digest = hashlib.sha256(self.paper.encode()).digest()
        return int.from_bytes(digest[:4], "big") < HELD_SHARE * 2**32


def read_examples(path: Path = SHIPPED) -> tuple[Example, ...]:
    """The examples of a file. Raises BadInput with file and line for the first thing that is wrong."""
    examples = read_lines(path, _example)
    if not examples:
        raise BadInput(f"{path} holds no example")
    return examples


def _example(line: str, place: str) -> Example:
    names = [field.name for field in fields(Example)]
    try:
        record = json.loads(line)
        values = [record[name] for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{place}: not an example ({error!r})") from None
    if wrong := next((name for name, value in zip(names, values, strict=True) if not isinstance(value, str)), None):
        raise BadInput(f"{place}: {wrong} is not text")
    return Example(*values)


def split(examples: Sequence[Example], idle_share: float) -> tuple[list[Example], list[Example]]:
    """Those to train on, and those of the papers held back; of each, as many idle ones as make `idle_share`.

    Examples without a statement are plentiful; a model that sees too many of them learns to say nothing.
    """
    taught = _thinned([example for example in examples if not example.held], idle_share)
    return taught, _thinned([example for example in examples if example.held], idle_share)


def _thinned(examples: Sequence[Example], idle_share: float) -> list[Example]:
    stating = sum(bool(example.statement) for example in examples)
    room = round(stating * idle_share / (1.0 - idle_share))
    idle = sorted(
        (example for example in examples if not example.statement),
        key=lambda example: hashlib.sha256(example.id.encode()).digest(),
    )
    kept = {example.id for example in idle[:room]}
    return [example for example in examples if example.statement or example.id in kept]
