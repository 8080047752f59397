"""A sentence as words, names and quantities: what every rule about wordings compares.

Knows nothing of papers, and of English only which words carry content.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.text import STOP_WORDS, stem

MARKS = frozenset(",;:()") | {"--", "—"}
"""What parts a sentence."""

_MULTIPLIERS = {
    "k": 1e3,
    "thousand": 1e3,
    "m": 1e6,
    "million": 1e6,
    "millions": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "billion": 1e9,
    "billions": 1e9,
    "t": 1e12,
    "trillion": 1e12,
    "trillions": 1e12,
}
_UNITS = {
    "%": "%", "\\%": "%", "percent": "%", "percentage": "%",
    "x": "x", "×": "x", "times": "x", "fold": "x",
    "ms": "ms", "s": "s", "sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min",
    "min": "min", "mins": "min", "h": "h", "hour": "h", "hours": "h", "day": "day", "days": "day",
    "week": "week", "weeks": "week", "month": "month", "months": "month", "year": "year", "years": "year",
    "kb": "kb", "mb": "mb", "gb": "gb", "tb": "tb", "pb": "pb", "hz": "hz", "khz": "khz",
    "mm": "mm", "cm": "cm", "km": "km", "kg": "kg", "mg": "mg", "ng": "ng", "pg": "pg", "µg": "ug", "μg": "ug",
    "mcg": "ug", "microg": "ug", "ml": "ml", "dl": "dl", "nm": "nm", "µm": "um", "μm": "um", "mmol": "mmol",
    "nmol": "nmol", "kda": "kda", "bp": "bp", "mmhg": "mmhg", "kcal": "kcal",
}  # fmt: skip
_SPELLED = "|".join(
    sorted((unit for unit in {*_UNITS, *_MULTIPLIERS} if len(unit) > 1 and unit.isalpha()), key=len)[::-1]
)
_TOKEN = re.compile(
    r"(?P<number>(?<![\w.])[+-]?\d+(?:,\d{3})*(?:\.\d+)?)"
    rf"(?:\s?(?P<percent>\\?%)|[\s-]?(?P<unit>{_SPELLED})(?!\w)|(?P<letter>[kmbtxsh×])(?!\w)|(?![\w.]*[^\W\d_]))"
    r"|(?P<word>[^\W_]+(?:(?:[-’']|(?<=\d)\.(?=\d))[^\W_]+)*)"
    r"|(?P<joint>[,;:()]|--|—)",
    re.IGNORECASE,
)
"""A number with its unit, a word, or a mark between clauses. "7B" and "23 languages" are numbers; "3D" is a word, and
so is "Phi-3.5": half of a version is another's name."""

_NUMBER_WORDS = {
    "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0,
    "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0,
    "sixteen": 16.0, "seventeen": 17.0, "eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0, "thirty": 30.0,
    "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0,
    "hundred": 100.0, "hundreds": 100.0, "thousand": 1e3, "thousands": 1e3, "million": 1e6, "millions": 1e6,
    "billion": 1e9, "billions": 1e9, "trillion": 1e12, "trillions": 1e12, "dozen": 12.0, "dozens": 12.0,
    "half": 0.5, "halves": 0.5, "halving": 0.5, "halved": 0.5, "third": 1 / 3, "quarter": 0.25, "fifth": 0.2,
    "tenth": 0.1, "twice": 2.0, "double": 2.0, "doubles": 2.0, "doubled": 2.0, "doubling": 2.0, "thrice": 3.0,
    "triple": 3.0, "triples": 3.0, "tripled": 3.0, "tripling": 3.0, "quadruple": 4.0, "single": 1.0,
}  # fmt: skip

_FREE = frozenset(
    stem(word)
    for word in """paper papers work works study studies author authors method methods approach approaches technique
    show shows shown find finds found report reports reported propose proposes proposed introduce introduces introduced
    present presents presented describe describes described call calls called name named use uses used using based base
    achieve achieves achieved make makes made making allow allows enable enables help helps include includes provide
    provides way ways according result results yield yields become becomes remain remains keep keeps get gets give gives
    given take takes do does done let lets serve serves consist consists aim aims able lead leads demonstrate
    demonstrates evaluate evaluated evaluates both also however thus therefore such well various several across within
    whether thanks term terms case cases kind kinds type types set sets one ones thing things new novel namely
    respectively specifically effectively significantly consistently overall particularly""".split()
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as meant: 7B is 7e9, 84% is 84 with unit "%", "twice" is 2. An empty unit fits any."""

    value: float
    unit: str = ""

    def agrees(self, other: Quantity) -> bool:
        """Same value, and units that do not contradict each other."""
        same_value = abs(self.value - other.value) <= 1e-9 * max(1.0, abs(self.value))
        return same_value and (self.unit == other.unit or not self.unit or not other.unit)


@dataclass(frozen=True, slots=True)
class Token:
    """One word or number; `keys` are what it is matched by, empty for function words."""

    text: str
    keys: tuple[str, ...] = ()
    name: bool = False
    quantity: Quantity | None = None

    @property
    def lower(self) -> str:
        """The token in lower case, with a plain apostrophe."""
        return self.text.lower().replace("’", "'")

    @property
    def key(self) -> str:
        """What tells it from other words: its first key, or the word itself."""
        return self.keys[0] if self.keys else self.lower

    @property
    def content(self) -> bool:
        """Whether it carries content of its own: neither a function word nor a number."""
        return bool(self.keys) and self.quantity is None

    @property
    def free(self) -> bool:
        """Whether it is scaffolding that any sentence about a paper may use."""
        return is_free(self.keys)


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of `text` in order."""
    return tuple(_token(match, first=position == 0) for position, match in enumerate(_TOKEN.finditer(text)))


def content(text: str) -> list[Token]:
    """The words of `text` that carry content, without numbers and scaffolding."""
    return [token for token in tokens(text) if token.content and not token.free]


def surplus(said: Sequence[Token], held: Sequence[Token]) -> Token | None:
    """The first of the words said that is said more often than held; to say one once is no surplus."""
    times, there = (Counter(token.key for token in each) for each in (said, held))
    return next((token for token in said if times[token.key] > max(1, there[token.key])), None)


def _token(match: re.Match[str], *, first: bool) -> Token:
    if match["joint"]:
        return Token(match[0])
    if match["number"]:
        return Token(match[0].strip(), (match["number"].lstrip("+"),), quantity=_quantity(match))
    word = match["word"]
    lower = word.lower().replace("’", "'").removesuffix("'s")
    if lower in _NUMBER_WORDS:
        return Token(word, (stem(lower),), quantity=Quantity(_NUMBER_WORDS[lower]))
    if lower in STOP_WORDS:
        return Token(word)
    return Token(word, _keys(lower), name=_is_name(word, first=first))


def _quantity(match: re.Match[str]) -> Quantity:
    value = float(match["number"].replace(",", ""))
    unit = (match["percent"] or match["unit"] or match["letter"] or "").lower()
    if unit in _MULTIPLIERS:
        return Quantity(value * _MULTIPLIERS[unit])
    return Quantity(value, _UNITS.get(unit, ""))


def _keys(lower: str) -> tuple[str, ...]:
    """The joined form first ("pretrain" of "pre-training"), then the parts of a hyphenated word."""
    parts = [part for part in re.split(r"[-']", lower) if part]
    rest = tuple(_key(part) for part in parts if part not in STOP_WORDS) if len(parts) > 1 else ()
    return _key("".join(parts)), *rest


def _key(word: str) -> str:
    """The stem, but "comparable" is not "compared": what can be done has not been."""
    if len(word) > 6 and word.endswith(("able", "ible", "ably", "ibly")):
        return word[:-1]
    return stem(word)


def _is_name(word: str, *, first: bool) -> bool:
    """Upper case inside, digits beside letters, or a capital where English would not put one."""
    if any(part[1:] != part[1:].lower() for part in word.split("-") if part):
        return True
    if any(c.isdigit() for c in word) and any(c.isalpha() for c in word):
        return True
    return word[0].isupper() and not first


def is_free(word: Iterable[str]) -> bool:
    """Whether a word, given by its keys, is scaffolding."""
    return all(key in _FREE for key in word)


def matches(token: Token, available: frozenset[str] | set[str]) -> bool:
    """Whether the token's joined form, or all of its parts, are available."""
    return bool(token.keys) and (
        token.keys[0] in available
        or _abbreviated(token) in available
        or (len(token.keys) > 1 and all(key in available for key in token.keys[1:]))
    )


def _abbreviated(token: Token) -> str:
    """ "pdac" of "PDACs": stemming leaves the plural of an abbreviation as it is; "" for other words."""
    plural = len(token.text) > 2 and token.text.endswith("s") and token.text[:-1].isupper()
    return token.lower[:-1] if plural else ""


def keys(sequence: Iterable[Token]) -> set[str]:
    """Every key of the tokens, with the joins of neighbours ("pre training" gives "pretrain" too)."""
    listed = list(sequence)
    found = {key for token in listed for key in token.keys}
    found |= {_abbreviated(token) for token in listed} - {""}
    for left, right in pairwise(listed):
        if left.quantity is None and right.quantity is None and len(left.text) <= 6:
            found.add(stem((left.text + right.text).lower()))
    return found


def unbracketed(sequence: Sequence[Token]) -> list[Token]:
    """The tokens outside round brackets."""
    depth = 0
    kept = []
    for token in sequence:
        depth += (token.text == "(") - (token.text == ")")
        if depth <= 0 and token.text != ")":
            kept.append(token)
        depth = max(depth, 0)
    return kept


def same(one: Token, other: Token) -> bool:
    """Whether two tokens say the same: one value, or one word, abbreviated or not."""
    if one.quantity is not None and other.quantity is not None:
        return one.quantity.agrees(other.quantity)
    return matches(one, set(other.keys)) or matches(other, set(one.keys))
