"""Lists of names as files write them, to names in reading order; knows no file format.

from_list("A. Author, B. Author and C. Author")    -> ("A. Author", "B. Author", "C. Author")
from_list("Author, Anna; Writer, Bo")              -> ("Anna Author", "Bo Writer")
from_bibtex("Author, Anna and {The Big Team}")     -> ("Anna Author", "{The Big Team}")
"""

from __future__ import annotations

import re

_AND = re.compile(r",?\s+(?:and|&)\s+")
_MAX_TEXT = 200_000


def from_list(text: str) -> tuple[str, ...]:
    """The names in a text that separates them by semicolons, "and" or commas."""
    text = " ".join(text[:_MAX_TEXT].split())
    if ";" in text:
        return _in_order(text.split(";"))
    parts = _AND.split(text)
    if all(part.count(",") == 1 for part in parts) and (len(parts) > 1 or _one_name(text)):
        return _in_order(parts)
    return tuple(name.strip() for part in parts for name in part.split(",") if name.strip())


def from_bibtex(text: str) -> tuple[str, ...]:
    """The names in BibTeX's form: separated by "and" outside braces, family name first where there is a comma."""
    names, depth, start = [], 0, 0
    text = " ".join(text[:_MAX_TEXT].split())
    for match in re.finditer(r"[{}]|\sand\s", text):
        sign = match.group()
        if sign in "{}":
            depth += 1 if sign == "{" else -1
        elif depth <= 0:
            names.append(text[start : match.start()])
            start = match.end()
    return _in_order([*names, text[start:]])


def in_order(name: str) -> str:
    """The name with the family name last: "Author, Anna" and "Author, Jr., Anna" turned round."""
    if name.startswith("{") or "," not in name:
        return name.strip()
    family, *rest = (part.strip() for part in name.split(","))
    return " ".join(part for part in [rest[-1], family, *rest[:-1]] if part)


def family(name: str) -> str:
    """The last word of the name: what is taken for the family name where one is needed."""
    return name.split()[-1] if name.split() else ""


def _in_order(names: list[str]) -> tuple[str, ...]:
    turned = (in_order(name.strip()) for name in names)
    return tuple(name for name in turned if name and name.casefold() != "others")


def _one_name(text: str) -> bool:
    """Whether "X, Y" is one name, family name first, and not two: so it seems where X is a single word."""
    before, _, after = text.partition(",")
    return len(before.split()) == 1 and len(after.split()) <= 3 and "." not in before
