"""Lists of names as files write them, to names in reading order; knows no file format.

from_list("A. Author, B. Author and C. Author")    -> ("A. Author", "B. Author", "C. Author")
from_list("Author, Anna; Writer, Bo (ETH)")        -> ("Anna Author", "Bo Writer")
from_list("Author, A., Writer, B.C.")              -> ("A. Author", "B.C. Writer")
from_bibtex("Author, Anna and {The Big Team}")     -> ("Anna Author", "{The Big Team}")
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_AND = re.compile(r",?\s+(?:and|&)\s+")
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.){0,300})'|"((?:[^"\\]|\\.){0,300})\"""")
_PARENTHESES = re.compile(r"\([^()]*\)")
_SUFFIX = re.compile(r"(?:Jr|Sr)\.?|I{2,3}|IV")
_INITIALS = re.compile(r"(?:[^\W\d_]\.[ -]?){1,5}|[^\W\d_]{1,2}")
_MAX_TEXT = 200_000


def from_list(text: str) -> tuple[str, ...]:
    """The names in a text that separates them by semicolons, "and" or commas, without affiliations in parentheses."""
    text = _without_affiliations(" ".join(text[:_MAX_TEXT].split()))
    if text[:1] + text[-1:] == "[]":  # a list as Python writes it
        return _in_order(single or double for single, double in _QUOTED.findall(text))
    if ";" in text:
        return _in_order(text.split(";"))
    parts = [_pieces(part) for part in _AND.split(text)]
    turned = all(len(part) == 2 for part in parts) and (len(parts) > 1 or _one_name(*parts[0]))
    return _in_order(name for part in parts for name in (_pairs(part) if turned or _initialled(part) else part))


def from_bibtex(text: str) -> tuple[str, ...]:
    """The names in BibTeX's form: separated by "and" outside braces, family name first where there is a comma."""
    return _in_order(_split(" ".join(text[:_MAX_TEXT].split()), r"\sand\s"))


def in_order(name: str) -> str:
    """The name with the family name last: "Author, Anna" and "Author, Jr., Anna" turned round."""
    family, *rest = (part.strip() for part in _split(name, ","))
    suffixes = [part for part in rest if _SUFFIX.fullmatch(part)]
    given = [part for part in rest if part not in suffixes]
    return " ".join(part for part in [*given[-1:], family, *given[:-1], *suffixes] if part)


def family(name: str) -> str:
    """The last word of the name: what is taken for the family name where one is needed."""
    return name.split()[-1] if name.split() else ""


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    turned = (in_order(name) for name in names)
    return tuple(name for name in turned if name and name.casefold() != "others")


def _split(text: str, separator: str) -> list[str]:
    """The text cut where the separator stands outside braces."""
    parts, depth, start = [], 0, 0
    for match in re.finditer(rf"[{{}}]|{separator}", text):
        sign = match.group()
        if sign in "{}":
            depth += 1 if sign == "{" else -1
        elif depth <= 0:
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def _without_affiliations(text: str) -> str:
    """The text without parentheses, also those within others: "((1) Leiden)"."""
    for _ in range(3):
        text = _PARENTHESES.sub("", text)
    return text.strip()


def _pieces(text: str) -> list[str]:
    """What stands between commas; a suffix stays with the name in front of it."""
    pieces: list[str] = []
    for piece in filter(None, (part.strip() for part in text.split(","))):
        if pieces and _SUFFIX.fullmatch(piece):
            pieces[-1] += f", {piece}"
        else:
            pieces.append(piece)
    return pieces


def _pairs(pieces: list[str]) -> list[str]:
    return [", ".join(pair) for pair in zip(pieces[::2], pieces[1::2], strict=True)]


def _initialled(pieces: list[str]) -> bool:
    """Whether these are family names, each with its initials behind it."""
    initials = [piece.isupper() and _INITIALS.fullmatch(piece) is not None for piece in pieces]
    return len(pieces) % 2 == 0 and all(initials[1::2]) and not any(initials[::2])


def _one_name(before: str, after: str) -> bool:
    """Whether "X, Y" is one name, family name first, and not two: so it seems where X is a single word.

    Particles do not count: "van der Berg, Anna".
    """
    *particles, _ = before.split()
    return all(word.islower() for word in particles) and len(after.split()) <= 3 and "." not in before
