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
_LETTER = r"\\(?:ss|ae|AE|oe|OE|aa|AA|o|O|l|L|i|j)"
_WRAPPER = r"emph|mbox|ensuremath|text(?:it|bf|tt|sc|rm|sf)?"
_FRAGMENT = re.compile(
    rf"""
      (?P<apostrophe> (?<=[A-Za-z])\\'(?=(?:s|t|d|m|re|ve|ll)\b) )
    | (?P<accent> \{{\s?{_ACCENT}\s?\}} | {_ACCENT} )
    | (?P<sign> \\[%&\#_${{}}] | \\[~^]\{{\}} )
    | (?P<formula> \$(?=\S)[^$]{{1,200}}(?<=\S)\$(?!\d) | \$[^$\\\s]{{0,20}}\\[A-Za-z][^$]{{0,200}}(?<=\S)\$ )
    | (?P<grouped> \{{\\(?:it|bf|em|sl|sc|tt|rm|sf)\s(?P<inner>[^{{}}]{{0,500}})\}} )
    | (?P<emphasis> \\(?:{_WRAPPER})\{{(?P<argument>[^{{}}]{{0,500}})\}} )
    | (?P<font> \\(?:{_WRAPPER}|it|bf|em|sl|sc|tt|rm|sf)(?![A-Za-z])\s? )
    | (?P<address> \\url\{{(?P<link>[^{{}}\s]{{0,500}})\}} )
    | (?P<letter> \{{\s?{_LETTER}\s?\}} | {_LETTER}(?:\{{\}}|\s|(?![A-Za-z])) )
    | (?P<command> \\[A-Za-z]{{2,30}}(?:\{{\}})? )
    | (?P<tie> (?<=[A-Za-z]{{2}})~(?=\S) )
    | (?P<brace> [{{}}] )
    """,
    re.VERBOSE,
)
_SIGNS = {
    "textbackslash": "\\",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
}
_STAND_INS = frozenset({"<cit.>", "<ref>", "(<ref>)", "< g r a p h i c s >"})
"""What pylatexenc writes for what it does not know."""

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
    unknown = decoded in _STAND_INS or ("%s" in decoded and "%s" not in fragment)  # an argument that is not there
    return fragment if unknown else decoded or fragment


@cache
def _decoder() -> Any:
    import logging

    from pylatexenc.latex2text import LatexNodes2Text

    # It warns of every command that lacks its argument; such a fragment stays as it stands.
    logging.getLogger("pylatexenc").addHandler(logging.NullHandler())
    logging.getLogger("pylatexenc").propagate = False
    return LatexNodes2Text(math_mode="text", keep_comments=True)
