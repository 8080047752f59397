"""Text made safe, split into sentences with offsets, reduced to terms.

Knows nothing of papers, models or indexes. All it is given is untrusted: each function bounds its work.

    normalise("caf\\u00e9\\u200b  au\\nlait")           -> "café au lait"
    sentences("See Fig. 3. It works well.")          -> [(0, 11), (12, 26)]
    terms("Which GPT-4 papers cite 84%?")            -> ["gpt", "4", "gpt4", "paper", "cite", "84"]
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Final

from rag.errors import BadQuestion

MAX_TEXT: Final = 100_000
"""No abstract or question needs more characters; what is longer is a mistake or an attack."""

Span = tuple[int, int]

Weight = Callable[[str], float]
"""How much a term tells, as `terms` gives it: its inverse document frequency in a collection."""


# --- normalising --------------------------------------------------------------------------------------------

_UNSAFE = frozenset({"Cc", "Cf", "Cs"})
"""Control; format (zero-width, bidirectional, soft hyphen, tag characters); lone surrogate."""

_MAX_MARKS = 8
"""More combining marks in a row than scripts need; NFC's time is quadratic in them (7.5 s for 100,000)."""


def normalise(text: str, *, limit: int = MAX_TEXT) -> str:
    """`text` as one line of NFC without control, format and surrogate characters, at most `limit` long.

    White space of any kind becomes single spaces. NFC and not NFKC: a stored text keeps its ligatures and
    superscripts, and NFKC expands U+FDFA eighteenfold. NFC can expand too, hence the second cut.
    """
    text = " ".join(text[: 4 * limit].split())
    if not text.isascii():
        text = unicodedata.normalize("NFC", _few_marks(_safe(text)))
    elif not text.isprintable():
        text = _safe(text)
    return " ".join(text.split())[:limit].rstrip()


def clean_question(text: str, limit: int) -> str:
    """The question, normalised. Raises BadQuestion where it is blank or longer than `limit` characters."""
    question = normalise(text)
    if not question:
        raise BadQuestion("the question is empty: ask something in words")
    length = len(text) if len(text) > MAX_TEXT else len(question)
    if length > limit:
        raise BadQuestion(f"the question is {length:,} characters long, {limit:,} are allowed: shorten it")
    return question


def _safe(text: str) -> str:
    return "".join(c for c in text if c.isprintable() or unicodedata.category(c) not in _UNSAFE)


def _few_marks(text: str) -> str:
    """`text` with runs of combining marks cut to `_MAX_MARKS`."""
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


# --- sentences ----------------------------------------------------------------------------------------------

_BLOCK = 2_000
"""Characters handed to pysbd at once: its time grows faster than its input."""

_PYSBD_LIMIT = 50_000
"""Characters worth pysbd's 6 µs each; the rest of a longer text gets the simple splitter."""

MAX_SENTENCE: Final = 2_000
"""A sentence longer than this is no sentence; it is cut at white space so that what follows stays bounded."""

_ABBREVIATED = """
al approx cf dr e.g eg eq eqn eqns eqs et etc fig figs i.e ie mr mrs ms no nos prof ref refs resp sec secs st
tab tabs thm vs w.r.t wrt
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_WORDS_TOO = frozenset({"ms", "no", "nos", "sec", "secs", "tab", "tabs"})
"""Abbreviations that end a sentence where they stand in lower case: "in 5 ms. We", "a plain no. We"."""

_TRUE_END = re.compile(r"(?:[.?!…][\"'”’)\]}]{0,3}|[。！？])$")
_LAST_WORD = re.compile(r"(?<![A-Za-z0-9-])([A-Za-z][A-Za-z.]{0,12})\.[\"'”’)\]}]{0,3}$")
_MARKER = re.compile(r"[-(\[]?(?:\d{1,2}|[ivx]{1,4}|[A-Za-z])[)\].]{1,3}$")
_PLAIN_WORD = re.compile(r"\w+")
_CLOSERS = re.compile(r"[}\])”’»]{1,3}\s+")
_SIMPLE_BREAK = re.compile(r"(?<=[.?!])[\"'”’)\]}]{0,3}\s+(?=[\"'“‘(\[{]?[A-Z0-9])")
_MISSED_BREAK = re.compile(r"(?<=[A-Za-z0-9%)\"'”’][.?!])[\"'”’)\]}]{0,3}\s+(?=[A-Z{][a-z]*,?\s)")
_GLUED_BREAK = re.compile(r"(?<=[a-z]{3}[.?!])(?=(?:Code|However|In|It|Our|The|These|This|We)\s)")


def sentences(text: str) -> list[Span]:
    """Offsets `(start, end)` of the sentences of `text`, in order, trimmed of surrounding white space.

    Every character that is not white space lies in exactly one of them. Split by pysbd, then its slips are
    mended: breaks after "Fig.", "et al." and their like, in front of inline lists and around fragments are
    taken back, and breaks that it misses between quotation marks and after acronyms are made.
    """
    starts: list[int] = []
    for start, end in _blocks(text):
        starts += _starts(text, start, end)
    spans = _trimmed(text, starts)
    spans = [piece for span in spans for piece in _split_missed(text, *span)]
    return [piece for span in _joined(text, spans) for piece in _bounded(text, *span)]


def _blocks(text: str) -> Iterator[Span]:
    """Consecutive stretches of at most `_BLOCK` characters that end after a sentence where they can."""
    start = 0
    while start < len(text):
        end = min(start + _BLOCK, len(text))
        if end < len(text):
            breaks = [match.end() for match in _SIMPLE_BREAK.finditer(text, start + _BLOCK // 2, end)]
            end = breaks[-1] if breaks else max(text.rfind(" ", start + 1, end) + 1, 0) or end
        yield start, end
        start = end


def _starts(text: str, start: int, end: int) -> list[int]:
    """Where sentences begin in `text[start:end]`, ascending.

    Only pysbd's starts are believed, only while they ascend and only after white space: its ends can overlap
    where a sentence repeats, it loses sentences that hold its placeholder characters, and it breaks inside
    URLs. A lost sentence stays with its predecessor.
    """
    block = text[start:end]
    found = _pysbd_starts(block) if start < _PYSBD_LIMIT else []
    found = found or [match.end() for match in _SIMPLE_BREAK.finditer(block)]
    ascending = [0]
    for position in found:
        if position > ascending[-1] and block[position - 1].isspace():
            ascending.append(position)
    return [start + position for position in ascending]


def _pysbd_starts(block: str) -> list[int]:
    try:
        return [span.start for span in _segmenter().segment(block)]
    except (re.error, IndexError, ValueError):  # from patterns that it builds out of the text
        return []


@cache
def _segmenter() -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # its patterns are not raw strings
        warnings.simplefilter("ignore", DeprecationWarning)
        import pysbd
    return pysbd.Segmenter(language="en", clean=False, char_span=True)


def _trimmed(text: str, starts: list[int]) -> list[Span]:
    """The stretches between `starts` without white space around them; closing marks go to what they close."""
    moved = [start + _closing(text, start) if start else 0 for start in starts]
    spans = []
    for start, end in pairwise([*moved, len(text)]):
        piece = text[start:end]
        if piece.strip():
            spans.append((start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())))
    return spans


def _closing(text: str, start: int) -> int:
    match = _CLOSERS.match(text, start)
    return len(match.group()) if match else 0


def _split_missed(text: str, start: int, end: int) -> Iterator[Span]:
    """The span, broken where a sentence plainly ends: not in parentheses, not after an abbreviation."""
    breaks = [*_MISSED_BREAK.finditer(text, start, end), *_GLUED_BREAK.finditer(text, start, end)]
    for match in sorted(breaks, key=lambda found: found.start()):
        before = text[start : match.end()].rstrip()
        if before and not _abbreviated(before) and before.count("(") <= before.count(")"):
            yield start, start + len(before)
            start = match.end()
    yield start, end


def _joined(text: str, spans: list[Span]) -> list[Span]:
    """The spans without the breaks that no sentence ends at, then without fragments."""
    return _merged(text, _merged(text, spans, _wrongly_broken), _fragment)


def _merged(text: str, spans: list[Span], together: Callable[[str, str], bool]) -> list[Span]:
    """The spans, neighbours joined where `together(left, right)` says so; never over a blank line."""
    merged: list[Span] = []
    for start, end in spans:
        left = merged[-1] if merged else None
        if left and text.count("\n", left[1], start) < 2 and together(text[slice(*left)], text[start:end]):
            merged[-1] = (left[0], end)
        else:
            merged.append((start, end))
    return merged


def _wrongly_broken(left: str, right: str) -> bool:
    """Whether no sentence ends at the end of `left`."""
    if not _TRUE_END.search(left[-8:]):
        return True
    if left[-1] in "?!" and right[0].islower():
        return True
    return _abbreviated(left) and not (left.endswith(" etc.") and right[0].isupper())


def _fragment(left: str, right: str) -> bool:
    """Whether one of them is no sentence; a list marker goes to what follows it, others to what precedes."""
    if _MARKER.match(right):
        return False
    return _few_words(left) or _few_words(right)


def _abbreviated(text: str) -> bool:
    """Whether `text` ends in an abbreviation, or in the initial of a name."""
    match = _LAST_WORD.search(text[-20:])
    if match is None:
        return False
    word = match.group(1)
    if len(word) == 1:
        return word.isupper() and word != "I"
    return word.lower() in _ABBREVIATIONS and word not in _WORDS_TOO


def _few_words(text: str) -> bool:
    return len(_PLAIN_WORD.findall(text[:200])) < 3


def _bounded(text: str, start: int, end: int) -> Iterator[Span]:
    """The span in pieces of at most `MAX_SENTENCE` characters, cut at white space where there is some."""
    while end - start > MAX_SENTENCE:
        space = text.rfind(" ", start + 1, start + MAX_SENTENCE + 1)
        cut = space if space > 0 else start + MAX_SENTENCE
        yield start, start + len(text[start:cut].rstrip())
        while text[cut].isspace():
            cut += 1
        start = cut
    yield start, end


# --- words and terms ----------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+(?:(?:['-]|(?<=\d)[.,](?=\d))[^\W_]+)*(?:(?<=\d)%)?")
_HYPHENS = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-", "−": "-"})
_MAX_JOINED = 20

_STOPPED = """
a about above after again against all also although am among an and any are as at be because been before being
below between both but by can could did do does doing done down during each either else etc ever every few for
from further had has have having he her here hers herself him himself his how however i if in into is it its
itself just me might more most must my myself neither no nor not now of off on once only onto or other our ours
ourselves out over own per rather same shall she should since so some such than that the their theirs them
themselves then there these they this those though through thus to too toward towards under until up upon us
very via was we were what when where whether which while who whom whose why will with within without would you
your yours yourself yourselves aren't can't cannot couldn't didn't doesn't don't hadn't hasn't haven't isn't it's
let's mustn't shouldn't that's there's wasn't weren't what's won't wouldn't
"""
STOP_WORDS: Final = frozenset(_STOPPED.split())
"""Function and question words of English. "Paper" and its like stay: they are about something."""


def words(text: str) -> list[str]:
    """The words of `text`, casefolded, in order, hyphenated ones whole: "13.75%", "3,019", "mistral-7b-v0.3"."""
    return _WORD.findall(text[:MAX_TEXT].translate(_HYPHENS).casefold())


def terms(text: str) -> list[str]:
    """What `text` is about: words without accents and stop words, stemmed, in order, repetitions kept.

    A hyphenated word gives its parts and then, up to 20 characters, the joined form, so that "pre-training"
    finds "pretraining". Numbers lose their "%" and thousands commas.
    """
    return [term for word in words(_folded(text)) for term in _terms_of(word)]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The Snowball stem of a lower-case English word (Porter 2001); numbers stay as they are."""
    return str(_stemmer().stemWord(word)) if len(word) < 64 else word


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


def _folded(text: str) -> str:
    """`text` without accents and compatibility forms; cut before and after, as NFKD expands."""
    text = text[:MAX_TEXT]
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", _few_marks(text))[:MAX_TEXT]
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@lru_cache(maxsize=65_536)
def _terms_of(word: str) -> tuple[str, ...]:
    parts = word.rstrip("%").replace(",", "").split("-")
    kept = [stem(part) for part in parts if part not in STOP_WORDS]
    joined = "".join(parts)
    if len(parts) > 1 and len(joined) <= _MAX_JOINED:
        kept.append(stem(joined))
    return tuple(kept)
