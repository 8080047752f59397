"""Every prompt text, and the sentences that the assistant says of itself: one place, shared by code and tests.

The model is not asked to answer: given evidence and a question, a small one contradicts, loops and does not cite. It is
asked for what it can do: say one picked sentence so that it stands alone. The citation is then known beforehand.
"""

from __future__ import annotations

from typing import Final

from rag.models import Message
from rag.records import Paper

NO_ANSWER: Final = "nothing in it comes near enough to the question."
MAY_NOT_BE_ASKED: Final = "the collection only comes near the question."
UNKNOWN_WORDS: Final = "No paper here mentions: {words}."
READ_AS: Final = "Read as: {words}."
NOTHING_IN_SCOPE: Final = "none of its papers is in the years or papers asked for."
GENERATOR_FAILED: Final = "the language model failed ({why}), so the answer is quoted"
OUT_OF_TIME: Final = "the time limit for writing was reached, so the rest is quoted"

_INSTRUCTION: Final = (
    'Copy the sentence, but name the subject instead of "we", "our", "this" and "it". Keep every number and name.'
)
_SHOWN: Final = (
    (
        "Sparse Mixers",
        "We introduce Sparse Mixer, an encoder that combines sparse gating with linear mixing and runs 65% faster than "
        "BERT.",
        "Sparse Mixer is an encoder that combines sparse gating with linear mixing and runs 65% faster than BERT.",
    ),
    (
        "Deep Sleep Staging from Wrist Sensors",
        "Our results show that this approach reaches 87% accuracy on three public datasets, while previous "
        "methods reached only 79%.",
        "Sleep staging from wrist sensors reaches 87% accuracy on three public datasets, while previous methods "
        "reached only 79%.",
    ),
    (
        "When Do Graph Networks Oversmooth?",
        "However, we find that it does not help on sparse graphs, where it loses 4 points.",
        "Graph networks do not gain on sparse graphs, where they lose 4 points.",
    ),
    (
        "TinyPose",
        "To this end, we propose to prune the decoder, which lowers memory use from 9 MB to 2 MB without any loss of "
        "precision.",
        "TinyPose prunes the decoder, which lowers memory use from 9 MB to 2 MB without any loss of precision.",
    ),
)
"""Made-up sentences of the kinds that lean on their surroundings, each beside one that does not. Without them one
rewording in eight could be used; with them one in five, and most of what fails is cut, not wrong."""


def rewording_prompt(paper: Paper, sentence: str) -> list[Message]:
    """The prompt to say `sentence`, out of the abstract of `paper`, so that it stands alone."""
    shown = [
        message
        for subject, given, wanted in _SHOWN
        for message in (Message("user", _asked(subject, given)), Message("assistant", wanted))
    ]
    return [Message("system", _INSTRUCTION), *shown, Message("user", _asked(subject_of(paper.title), sentence))]


READING: Final = "State what the sentence tells about the question."
NOTHING: Final = "None."
"""What a taught model says of a sentence that tells nothing about the question."""


def reading_prompt(question: str, title: str, before: str, sentence: str) -> list[Message]:
    """The prompt that the reader was taught: one chosen sentence, with the one before it, to a statement.

    No examples and no rules: what is wanted lies in the weights, and every token costs time. A model knows only the
    prompt that it was taught: whoever changes this raises `rag.models.adapter.PROMPT` and trains anew.
    """
    given = {"Question": question, "Title": title, "Before": before, "Sentence": sentence}
    shown = "\n".join(f"{name}: {text}" for name, text in given.items() if text)
    return [Message("system", READING), Message("user", shown)]


def is_nothing(draft: str) -> bool:
    """Whether a draft is the mark of a sentence that tells nothing about the question."""
    return draft.strip().casefold().rstrip(".") == NOTHING.casefold().rstrip(".")


def subject_of(title: str) -> str:
    """What a paper is about, as far as its title names it: "Time-MoE" of "Time-MoE: Billion-Scale Time Series …"."""
    head = title.split(":")[0].strip()
    return head if 0 < len(head) <= 40 else title


def _asked(subject: str, sentence: str) -> str:
    return f"Subject: {subject}\nSentence: {sentence}"
