"""What a language model makes of one sentence: its first sentence, cleaned, and told apart from nonsense.

Knows nothing of support; `grounding` decides what may be stated. What fails here fails by its form (unfinished, a
question, a piece of the prompt) or because it tells less than the sentence it was made from.
"""

from __future__ import annotations

import re
from typing import Final

from rag.answering.tokens import keys, matches, tokens
from rag.text import normalise, sentences

LONGEST: Final = 400
"""Characters of a written sentence; a longer one is a list or a loop."""

MIN_WORDS: Final = 4

KEPT: Final = 0.6
"""Share of a sentence's content words that a rewording must keep: what answers may stand in any part of it."""

_LEANS = re.compile(
    r"\b(?:we|our|ours|us|this|these|it|its|they|their|such|"
    r"the (?:proposed|resulting|new|latter|former|approach|method|methods|model|framework|authors?|paper|study))\b",
    re.IGNORECASE,
)
_OPENS = re.compile(
    r"^\W*(?:however|specifically|furthermore|moreover|additionally|in addition|also|thus|therefore|then|finally|"
    r"consequently|hence|in particular|to this end|for example|for instance|first|second|third|lastly|notably|"
    r"importantly|surprisingly|interestingly|remarkably|overall|in contrast|besides)\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"\b(?:we|our|ours|us|this (?:paper|work|study|article|method|approach|model))\b", re.IGNORECASE)

_POINTS_BACK = re.compile(
    r"^(?:(?:the|these|those|both|such)\s+(?:(?:proposed|resulting|new|presented|introduced|same)\s+)?"
    r"(?:methods?|approach(?:es)?|models?|frameworks?|systems?|techniques?|strateg(?:y|ies)|results?|paper|review|study)"
    r"|(?:such|this)\s+\w+|(?:in|on|for|by|with|at|when|under)\b[^,]{1,80},\s+(?:it|they|this)|it|they)\b",
    re.IGNORECASE,
)
_MARKERS = re.compile(r"\s*(?:\[\s*\d{1,3}(?:\s*[,;]\s*\d{1,3}){0,9}\s*\]|\(\s*\d{1,2}\s*\)(?=\s*[.,;]|\s*$))")
_LEAD = re.compile(r"^\s*(?:(?:answer|a|response|assistant)\s*:|[-*•]|\d{1,2}[.)])\s+", re.IGNORECASE)
_SETTING = re.compile(
    r"^in (?:this|the|our) (?:present |current )?(?:paper|study|work|article|report|review),?\s+(?=\w)", re.IGNORECASE
)
_PROMPT = re.compile(
    r"<\|?\w+\|?>|\b(?:question|title|subject|before|sentence|context|instruction|statements?)\s*:|as an ai\b",
    re.IGNORECASE,
)


def first_sentence(text: str) -> tuple[str, bool]:
    """The first sentence that is left after cleaning, and whether it was finished; "" where there is none."""
    for line in text.split("\n"):
        for start, end in sentences(line):
            if told := cleaned(line[start:end]):
                return told, told.rstrip("\"'”’)]").endswith((".", "!", "?"))
    return "", False


def is_part(text: str, source: str) -> bool:
    """Whether the text is the source, or a part of it, word by word."""
    return text.casefold().rstrip(".") in source.casefold()


def cleaned(sentence: str) -> str:
    """Without the model's own citation markers and list bullets, and without "In this paper," in front.

    Citations are attached by the check, not the model; and which paper is meant, the citation tells.
    """
    bare = normalise(_LEAD.sub("", _MARKERS.sub("", sentence)))
    told = _SETTING.sub("", bare)
    word = told.partition(" ")[0]
    plain = word.isalpha() and word.islower()  # mBERT and wav2vec are written as they are
    return told[0].upper() + told[1:] if told != bare and plain else told


def leans(sentence: str) -> bool:
    """Whether a sentence, taken out of its abstract, leaves open whose work or which thing it speaks of."""
    return _LEANS.search(sentence) is not None or _OPENS.search(sentence) is not None


def flaw(text: str, *, finished: bool) -> str:
    """Why `text` cannot be stated, judged by its form; "" where it can."""
    if not finished:
        return "unfinished"
    if len(text) > LONGEST:
        return "too long"
    if _PROMPT.search(text):
        return "copied from the prompt"
    if text.endswith("?"):
        return "a question"
    if len(text.split()) < MIN_WORDS:
        return "too short to say anything"
    return unnamed(text)


def unnamed(text: str) -> str:
    """Whether the text leaves open whose work it speaks of, said in words; "" where it does not."""
    unknown = _SPEAKER.search(text) or _POINTS_BACK.match(text)
    return "does not name whose work it speaks of" if unknown else ""


def loss(text: str, source: str) -> str:
    """What the source tells and the text does not: a number, or too much of the rest; "" where that is little.

    For models that nobody taught what may be left out.
    """
    said, held = tokens(text), tokens(source)
    numbers = [token.quantity for token in said if token.quantity is not None]
    for token in held:
        if token.quantity is not None and not any(token.quantity.agrees(number) for number in numbers):
            return f"drops the number {token.text!r}"
    content = [token for token in held if token.content and not token.free]
    available = keys(said)
    kept = sum(matches(token, available) for token in content)
    return "" if kept >= KEPT * len(content) else "tells much less than the sentence it was made from"
