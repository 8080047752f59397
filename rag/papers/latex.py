r"""LaTeX in titles and abstracts made plain, sparingly; the only door to pylatexenc.

Abstracts come from everywhere, and most that hold a dollar sign or a backslash are not LaTeX. So only what plainly is
LaTeX is decoded: accents, escaped signs, known commands, formulas, emphasis. All else stays as it stands.

    decode(r"Fr\'echet means of $\alpha$-stable laws, 5\% off")  -> "Fréchet means of α-stable laws, 5% off"
    decode("from $5 to $6")                                      -> "from $5 to $6"
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

_MAX_DECODED = 2_000
"""Fragments decoded in one text: more is no abstract, and decoding costs 0.1 ms each."""

_ACCENT = r"\\(?:['\"`^~=.]|[uvHcdbkrt](?![A-Za-z]))\s?(?:\{\\?[A-Za-z]\}|\\?[A-Za-z])"
_FRAGMENT = re.compile(
    rf"""
      (?P<apostrophe> (?<=[A-Za-z])\\'(?=(?:s|t|d|m|re|ve|ll)\b) )
    | (?P<accent> \{{\s?{_ACCENT}\s?\}} | {_ACCENT} )
    | (?P<sign> \\[%&\#_${{}}] )
    | (?P<formula> \$(?=\S)[^$]{{1,200}}(?<=\S)\$(?!\d) )
    | (?P<grouped> \{{\\(?:it|bf|em|sl|sc|tt|rm|sf)\s(?P<inner>[^{{}}]{{0,500}})\}} )
    | (?P<emphasis> \\(?:emph|mbox|text(?:it|bf|tt|sc|rm|sf)?)\{{(?P<argument>[^{{}}]{{0,500}})\}} )
    | (?P<font> \\(?:emph|mbox|text(?:it|bf|tt|sc|rm|sf)?|it|bf|em|sl|sc|tt|rm|sf)(?![A-Za-z])\s? )
    | (?P<address> \\url\{{(?P<link>[^{{}}\s]{{0,500}})\}} )
    | (?P<letter> \\(?:ss|ae|AE|oe|OE|aa|AA|o|O|l|L|i|j)(?:\{{\}}|\s|(?![A-Za-z])) )
    | (?P<command> \\[A-Za-z]{{2,30}}(?:\{{\}})? )
    | (?P<tie> (?<=[A-Za-z]{{2}})~(?=\S) )
    | (?P<brace> [{{}}] )
    """,
    re.VERBOSE,
)
_SIGNS = {"textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^"}
_FORMULA_SIGN = re.compile(r"[\\^_{}=<>+]")


def decode(text: str, *, braces: bool = False) -> str:
    """`text` with its LaTeX made plain; with `braces`, BibTeX's grouping braces and ties go too."""
    if not any(sign in text for sign in "\\$~{}"):
        return text
    return _FRAGMENT.sub(lambda match: _plain(match, braces), text, count=_MAX_DECODED)


def _plain(match: re.Match[str], braces: bool) -> str:
    fragment, kind = match.group(), match.lastgroup
    if kind == "apostrophe":
        return "'"
    if kind == "sign":
        return fragment[1]
    if kind == "tie":
        return " "
    if kind in ("brace", "font"):
        return "" if braces else fragment
    for inner in ("inner", "argument", "link"):
        if match.group(inner) is not None:
            return decode(match.group(inner), braces=braces)
    if kind == "command" and (sign := _SIGNS.get(fragment.strip("\\{}"))):
        return sign
    if kind == "formula" and len(fragment) > 5 and not _FORMULA_SIGN.search(fragment):
        return fragment  # two prices, not a formula
    return _decoded(fragment)


@lru_cache(maxsize=4_096)
def _decoded(fragment: str) -> str:
    """What pylatexenc makes of a fragment; the fragment itself where that is nothing or fails."""
    try:
        decoded = str(_decoder().latex_to_text(fragment)).strip()
    except Exception:  # a third-party parser on untrusted text, RecursionError included
        return fragment
    return fragment if decoded.startswith("<") else decoded or fragment  # "<cit.>" stands for what is not known


@cache
def _decoder() -> Any:
    from pylatexenc.latex2text import LatexNodes2Text

    return LatexNodes2Text(math_mode="text", keep_comments=True)
