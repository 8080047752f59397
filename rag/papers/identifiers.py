"""Names of papers: DOI, arXiv id, and the id made from a title; knows no file format.

doi("https://doi.org/10.1000/ABC.")     -> "10.1000/abc"
arxiv("arXiv:2301.00001v2")             -> "2301.00001"
of_title("Attention Is All You Need")   -> "attention-is-all-you-need-5563e1"  (slug, then six hex digits)
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from rag.text import normalise

MAX_ID: Final = 128

_DOI = re.compile(r"(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S{1,200})", re.IGNORECASE)
_ARXIV = re.compile(
    r"(?:https?://(?:www\.)?arxiv\.org/(?:abs|pdf)/|arxiv:\s*|(?:https?://(?:dx\.)?doi\.org/)?10\.48550/arxiv\.)?"
    r"(\d{4}\.\d{4,5}|[a-z-]{2,10}(?:\.[a-z]{2})?/\d{7})(?:v\d{1,3})?(?:\.pdf)?(?:\s*\[[\w.-]{1,20}\])?",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s<>\"\\^`{|}]{3,2000}", re.IGNORECASE)
_SLUG_LENGTH = 48


def doi(text: str) -> str:
    """The bare DOI in lower case, as DOIs ignore case; empty where `text` is none."""
    match = _DOI.fullmatch(normalise(text, limit=300))
    return match.group(1).rstrip(".,;").lower() if match else ""


def arxiv(text: str) -> str:
    """The bare arXiv id without its version; empty where `text` is none, nor the URL or DOI of one."""
    match = _ARXIV.fullmatch(normalise(text, limit=300))
    return match.group(1).lower() if match else ""


def url(text: str) -> str:
    """`text` where it is a web address, else empty."""
    address = normalise(text, limit=2_100)
    return address if _URL.fullmatch(address) else ""


def own(text: str) -> str:
    """`text` where it can serve as a paper's id or alias, at most 128 printable characters; else empty."""
    name = normalise(text, limit=MAX_ID + 1)
    return name if name == text and len(name) <= MAX_ID else ""


def names(doi: str, arxiv: str) -> list[str]:
    """The ids that these identifiers give. An arXiv paper's own DOI is only its arXiv id put differently."""
    published = doi if not doi.startswith("10.48550/arxiv.") else ""
    return [*([f"doi:{published}"] if published else []), *([f"arxiv:{arxiv}"] if arxiv else [])]


def title_key(title: str) -> str:
    """What two spellings of one title have in common: its letters and digits without case and accents."""
    decomposed = unicodedata.normalize("NFKD", title.casefold())
    return "".join(character for character in decomposed if character.isalnum()) or title.casefold()


def of_title(title: str) -> str:
    """The id of a paper that has no other: a readable slug and a short hash of the normalised title."""
    digest = hashlib.sha256(title_key(title).encode()).hexdigest()[:6]
    return "-".join([*_slug_words(title), digest])


def _slug_words(title: str) -> list[str]:
    ascii_title = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    kept: list[str] = []
    for word in re.findall(r"[a-z0-9]+", ascii_title):
        if len("-".join([*kept, word])) > _SLUG_LENGTH:
            break
        kept.append(word)
    return kept
