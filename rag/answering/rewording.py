"""Whether a rewording of one sentence says that sentence and nothing else: order kept, nothing joined, nothing added.

`grounding` asks whether everything said is somewhere in the source. A small model that copies fails otherwise: it skips
a few words and so ties together what the sentence keeps apart, or drops the condition that it began with. Here the
words that carry content are aligned in order (longest common subsequence), and every word added or skipped has to be
one that can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rag.answering.claims import NEGATORS
from rag.answering.tokens import Token, keys, matches, same, tokens

_LIMITING: Final = NEGATORS | {
    "but",
    "only",
    "except",
    "unless",
    "if",
    "although",
    "though",
    "however",
    "when",
    "while",
}
"""Words that turn or narrow what stands before them: a rewording may not stop short of one."""

Aligned = list[tuple[int, int]]


def departure(text: str, source: str, subject: str, before: str = "") -> str:
    """Where `text` departs from the sentence `source`, or "" where it follows it.

    `subject` is what the paper is about and `before` the sentence before: where the source says "we" or "it", the
    rewording may name what they name.
    """
    said, held = _content(text), _content(source)
    aligned = _align(said, held)
    if not aligned:
        return "does not follow the sentence"
    return (
        _added(said, aligned, keys(tokens(subject)), keys(tokens(before)))
        or _skipped(held, aligned)
        or _stopped_short(source, aligned)
    )


def _content(text: str) -> list[Token]:
    return [token for token in tokens(text) if token.keys]


def _align(said: Sequence[Token], held: Sequence[Token]) -> Aligned:
    """Places of the longest common subsequence, in order; of equally long ones the one that matches earliest."""
    longest = [[0] * (len(held) + 1) for _ in range(len(said) + 1)]
    for i in range(len(said) - 1, -1, -1):
        for j in range(len(held) - 1, -1, -1):
            longest[i][j] = (
                longest[i + 1][j + 1] + 1 if same(said[i], held[j]) else max(longest[i + 1][j], longest[i][j + 1])
            )
    aligned: Aligned = []
    i = j = 0
    while i < len(said) and j < len(held):
        if same(said[i], held[j]):
            aligned.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1][j] >= longest[i][j + 1]:
            i += 1
        else:
            j += 1
    return aligned


def _added(said: Sequence[Token], aligned: Aligned, subject: set[str], before: set[str]) -> str:
    """Words beyond the sentence: the subject anywhere, the sentence before only where the rewording opens."""
    followed = {place for place, _ in aligned}
    opening = aligned[0][0]
    for place, token in enumerate(said):
        if place in followed or token.free or matches(token, subject):
            continue
        if place < opening and matches(token, before):
            continue
        return f"adds {token.text!r}"
    return ""


def _skipped(held: Sequence[Token], aligned: Aligned) -> str:
    """Words left out before or between those that were kept."""
    kept = {place for _, place in aligned}
    last = aligned[-1][1]
    for place, token in enumerate(held[:last]):
        if place not in kept and not _droppable(token):
            return f"leaves out {token.text!r}"
    return ""


def _droppable(token: Token) -> bool:
    return token.quantity is None and (token.free or token.lower in _SCAFFOLDING or token.lower.endswith("ly"))


_SCAFFOLDING: Final = frozenset(
    """address addresses end issue issues problem problems challenge challenges goal aim proposed new novel simple
    effective first second third finally particular addition contrast example instance moreover furthermore response
    observe experiments experiment experimental extensive empirical empirically analysis evaluation evaluations findings
    research article contribution contributions respect regard hand furthermore consequently then""".split()
)


def _stopped_short(source: str, aligned: Aligned) -> str:
    """A word that turns or narrows the sentence, in the part after the last word that was kept."""
    tail = tokens(source)
    last = [place for place, token in enumerate(tail) if token.keys][aligned[-1][1]]
    turn = next((token for token in tail[last + 1 :] if token.lower in _LIMITING), None)
    return f"stops before {turn.text!r}" if turn else ""
