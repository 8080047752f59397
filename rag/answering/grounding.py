"""A written sentence against the abstracts it is meant to come from: passed with its citations, or withheld.

A sentence passes when one or two sentences of a cited abstract (and its title) carry everything it claims: its words,
its names, its numbers with their units and what they count, its negations and its directions. What cannot be found
is not said. A sentence about several papers is taken apart at its joints, and each part must pass on one of them.

Rules, no model: repeatable, two milliseconds a sentence, and the reason for a rejection can be told to a person. What
the rules let through and wrongly stop is measured by `tests/data/grounding.jsonl` and `eval/benchmarks/grounding.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import combinations

from rag.answering.binding import (
    bound_elsewhere,
    crossed_over,
    directions_turned,
    other_number,
    out_of_list,
    share_made_part,
)
from rag.answering.claims import (
    EXCEPTING,
    NEGATORS,
    Comparison,
    Reach,
    beats,
    causes_added,
    comparisons,
    contrasts,
    implied,
    near_negation,
    negated,
    opposites,
    order_turned,
    side,
    unhedged,
)
from rag.answering.exchanges import exchanged, swapped
from rag.answering.tokens import Token, is_free, keys, matches, tokens, unbracketed
from rag.records import Paper, Sentence
from rag.text import Weight

ENOUGH_COVERED = 0.74
"""Share of a sentence's weight that its source must carry: chosen on half of the labelled rewordings and lies."""

ENOUGH_IF_ALIKE = 0.5
"""The share that will do where the embedder finds statement and source sentence alike: other words, same thing."""

ALIKE = 0.8
"""Cosine from which they are alike; findings of other papers, credited wrongly, stayed under .71 on that half."""

MIN_WORDS = 4  # fewer are a fragment
CONSIDERED = 4  # source sentences nearest to the statement that are tried alone and in pairs

Similarity = Callable[[str, str], float]


@dataclass(frozen=True, slots=True)
class Source:
    """A paper that a statement may cite, with the sentences of its abstract."""

    paper: Paper
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """The sentences of one paper that carry a statement."""

    paper: Paper
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one sentence: `reason` is empty when it passed, and then `support` names what carries it."""

    reason: str
    support: tuple[Support, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the sentence may be stated."""
        return not self.reason


def check(text: str, sources: Sequence[Source], weight: Weight, similarity: Similarity | None = None) -> Verdict:
    """Whether `text` is carried by one of `sources`, tried in order, or part by part by several.

    `weight` gives how much a stemmed term tells (inverse document frequency in the collection); `similarity` the
    cosine of two texts, asked only where the words leave it open.
    """
    judge = _Judge(weight, similarity)
    alone = judge.alone(text, sources)
    if alone.passed or len(sources) < 2:  # parts tell who says what of several; of one they only lose what holds them
        return alone
    parts = [judge.alone(part, sources) for part in _parts(text)]
    if len(parts) < 2 or not all(verdict.passed for verdict in parts):
        return alone
    return Verdict("", _united(parts))


@dataclass(frozen=True, slots=True)
class _Judge:
    weight: Weight
    similarity: Similarity | None

    def alone(self, text: str, sources: Sequence[Source]) -> Verdict:
        """The first source that carries all of `text`; else the reason of the source that came nearest."""
        nearest = (-1.0, "nothing to check it against")
        for source in sources:
            covered, reason, sentences = self.against(text, source)
            if not reason:
                return Verdict("", (Support(source.paper, sentences),))
            nearest = max(nearest, (covered, reason), key=lambda outcome: outcome[0])
        return Verdict(nearest[1])

    def against(self, text: str, source: Source) -> tuple[float, str, tuple[Sentence, ...]]:
        """Coverage, reason and window of the first window of `source` that carries `text`, else of the fullest."""
        said = tokens(text)
        best: tuple[float, str, tuple[Sentence, ...]] = (0.0, "not in the abstract", ())
        windows = [_window(window, source) for window in _windows(said, source.sentences, self.weight)]
        denied = windows[0].contradiction(said) if windows else ""
        denied = denied or next(filter(None, (w.negations_dropped(said) for w in self.other(said, windows))), "")
        for window in windows:
            covered = window.coverage(said, self.weight)
            first = window is windows[0]  # whose contradiction is asked for above
            reason = denied or window.objection(said, contradicting=not first) or self.shortfall(text, window, covered)
            if not reason:
                return covered, "", window.sentences
            if covered > best[0]:
                best = (covered, reason, window.sentences)
        return best

    def other(self, said: Sequence[Token], windows: Sequence[_Window]) -> Iterator[_Window]:
        """The single sentences, beside the nearest, that say enough of it for their negations to speak against it."""
        for window in windows[1:CONSIDERED]:
            if len(window.sentences) == 1 and window.coverage(said, self.weight) >= ENOUGH_COVERED:
                yield window

    def shortfall(self, text: str, window: _Window, covered: float) -> str:
        """Whether too little of the statement's weight is covered, by words or, failing that, by likeness."""
        if covered >= ENOUGH_COVERED:
            return ""
        if covered >= ENOUGH_IF_ALIKE and self.similarity is not None:
            alike = max(self.similarity(text, sentence.text) for sentence in window.sentences)
            if alike >= ALIKE:
                return ""
        return "too little of it is in the abstract"


def _windows(said: Sequence[Token], sentences: Sequence[Sentence], weight: Weight) -> Iterator[tuple[Sentence, ...]]:
    """The sentences nearest to what was said, alone and then in pairs, each in the abstract's order."""
    wanted = {key for token in said if token.content for key in token.keys}
    overlap = {
        sentence.position: sum(weight(key) for key in wanted & keys(tokens(sentence.text))) for sentence in sentences
    }
    ranked = sorted(sentences, key=lambda sentence: (-overlap[sentence.position], sentence.position))
    near = ranked[:CONSIDERED]
    yield from ((sentence,) for sentence in near)
    for pair in combinations(near, 2):
        yield tuple(sorted(pair, key=lambda sentence: sentence.position))


@dataclass(frozen=True, slots=True)
class _Window:
    """What one or two sentences and the title hold, ready to be compared with what was said."""

    sentences: tuple[Sentence, ...]
    held: tuple[tuple[Token, ...], ...]
    title: tuple[Token, ...]
    subject: frozenset[str]
    available: frozenset[str]

    @property
    def titled(self) -> frozenset[str]:
        """Names in the title: what the paper is about may be named wherever the sentence says "it"."""
        return frozenset(key for token in self.title if token.name for key in token.keys)

    @property
    def flat(self) -> list[Token]:
        return [token for sentence in self.held for token in sentence]

    def coverage(self, said: Sequence[Token], weight: Weight) -> float:
        """Share of the weight of what was said that is held here; scaffolding words count for neither side."""
        counted = [token for token in said if token.content and not token.free]
        total = sum(weight(token.keys[0]) for token in counted)
        found = sum(weight(token.keys[0]) for token in counted if matches(token, self.available))
        return found / total if total else 0.0

    def objection(self, said: Sequence[Token], *, contradicting: bool = True) -> str:
        """Something said that is not held here or stands there otherwise; "" where nothing is."""
        return (
            self._names(said)
            or self._numbers(said)
            or self._negations_added(said)
            or (self.contradiction(said) if contradicting else "")
            or self._directions_added(said)
            or self._plainer(said)
        )

    def contradiction(self, said: Sequence[Token]) -> str:
        """Something held here that speaks against what was said; "" where nothing does."""
        return (
            self._opposites(said)
            or self.negations_dropped(said)
            or directions_turned(said, self.held)
            or self._sides_swapped(said)
            or self._order_turned(said)
            or self._words_swapped(said)
            or exchanged(said, self.held, self.available)
        )

    def _names(self, said: Sequence[Token]) -> str:
        named = keys(token for token in [*self.flat, *self.title] if token.name) | self.subject
        for position, token in enumerate(said):
            if position == 0 and _may_be_name(token) and not matches(token, self.available):
                return f"the name {token.text!r} is not in the source"
            if not token.name:
                continue
            if not matches(token, self.available) or (token.text[1:].islower() and not self._as_name(token, named)):
                return f"the name {token.text!r} is not in the source"
            if (
                not matches(token, self.subject | self.titled)
                and bound_elsewhere(said, position, self.held, self._rival)
            ) or crossed_over(said, position, self.held, _is_name):
                return f"what is said of {token.text!r} is said of something else in the source"
        return self._front(said)

    def _front(self, said: Sequence[Token]) -> str:
        """A sentence about what the source only compares with ("less than Longwave") is about something else."""
        front = next((token for token in said if token.content), None)
        if front is None or not front.text[0].isupper() or matches(front, self.subject) or comparisons(said):
            return ""
        places = [
            _against_which(held, place)
            for held in self.held
            for place, token in enumerate(held)
            if set(token.keys) & set(front.keys)
        ]
        return (
            f"what is said of {front.text!r} is said of something else in the source" if places and all(places) else ""
        )

    def _rival(self, token: Token, held: Token) -> bool:
        """Whether `held` is another name that `token` could have been mistaken for, and not the paper's subject."""
        return held.name and not set(token.keys) & set(held.keys) and not matches(held, self.subject)

    def _as_name(self, token: Token, named: frozenset[str] | set[str]) -> bool:
        """A capitalised word must stand as a name, or open a sentence, where the source has it."""
        opening = keys(sentence[0] for sentence in self.held if sentence)
        return matches(token, named | opening)

    def _numbers(self, said: Sequence[Token]) -> str:
        flat = [*self.flat, *self.title]
        for position, token in enumerate(said):
            if token.quantity is None or _part_of_phrase(said, position, flat):
                continue
            if not any(held.quantity is not None and token.quantity.agrees(held.quantity) for held in flat):
                return f"the number {token.text!r} is not in the source"
            if not self._counted(said, position):
                return f"the source does not count {said[position + 1].text!r}"
            if share_made_part(said, position, self.held):
                return f"the source does not say {said[position - 1].text!r} {token.text!r}"
            if (
                bound_elsewhere(said, position, self.held, other_number)
                or crossed_over(said, position, self.held, _is_number)
                or out_of_list(said, token, self.held)
            ):
                return f"the number {token.text!r} belongs to something else in the source"
        return ""

    def _counted(self, said: Sequence[Token], position: int) -> bool:
        """Whether the word right after a number without a unit, what it counts, is held here."""
        following = said[position + 1] if position + 1 < len(said) else None
        quantity = said[position].quantity
        if following is None or not following.content or (quantity is not None and quantity.unit):
            return True
        return matches(following, self.available)

    def _opposites(self, said: Sequence[Token]) -> str:
        held = keys(self.flat)
        for token in said:
            if token.content and not matches(token, held) and opposites(token) & held:
                return f"the source says the contrary of {token.text!r}"
        return ""

    def _negations_added(self, said: Sequence[Token]) -> str:
        denied = [reach for held in self.held for reach in negated(held)]
        milder = [*denied, *(reach for held in self.held for reach in implied(held) if reach)]
        plain = negated(said, besides=EXCEPTING | {"nor"})  # "nor" goes on with the negation before it
        excepting = [reach for reach in negated(said, besides=frozenset({"nor"})) if reach not in plain]
        if _all_excused(plain, denied) and _all_excused(excepting, milder):
            return ""
        return "a negation that the source does not have"

    def negations_dropped(self, said: Sequence[Token]) -> str:
        """A negation held here that what was said passes over, though it says what is negated."""
        mentioned = {key for token in said for key in token.keys}
        denied = near_negation(said)
        for reach in (reach for held in self.held for reach in negated(held)):
            shared = [word for word in reach if mentioned & set(word)]
            telling = [word for word in shared if not is_free(word)]
            if telling and not denied & set(telling[0]) and len(shared) >= 0.6 * len(reach):
                return "a negation of the source is missing"
        return ""

    def _directions_added(self, said: Sequence[Token]) -> str:
        for token in said:
            pointing = side(token)
            if pointing is not None and not any(side(held) == pointing for held in self.flat):
                return f"the source does not say {token.text!r}"
        return ""

    def _plainer(self, said: Sequence[Token]) -> str:
        """A doubt of the source told as a fact, or a cause where the source tells of none."""
        wanted = keys(said)
        doubt = unhedged(said, max(self.held, key=lambda held: len(wanted & keys(held))))
        if doubt:
            return f"drops {doubt!r}"
        cause = causes_added(said, self.flat)
        return f"the source does not say {cause!r}" if cause else ""

    def _order_turned(self, said: Sequence[Token]) -> str:
        turned = order_turned(said, self.flat)
        return f"the source says the contrary of {turned!r}" if turned else ""

    def _words_swapped(self, said: Sequence[Token]) -> str:
        for held in self.held:
            ours, theirs = swapped(said, held, self.available, self.subject | self.titled)
            if ours:
                return f"{ours!r} stands where the source has {theirs!r}"
        return ""

    def _sides_swapped(self, said: Sequence[Token]) -> str:
        theirs = [comparison for held in self.held for comparison in comparisons(unbracketed(held))]
        names = {token.keys[0] for token in [*said, *self.flat] if token.name} | self.subject
        for ours in comparisons(unbracketed(said)):
            nearest = max(theirs, key=lambda other: len(ours.words & other.words), default=None)
            if nearest is not None and (_crossed(ours, nearest, names) or _crossed(ours, nearest)):
                return "the comparison is the wrong way round"
        set_against = [contrast for held in self.held for contrast in contrasts(held)]
        if any(ours.turns(other) for ours in contrasts(said) for other in set_against):
            return "the comparison is the wrong way round"
        return ""


def _crossed(ours: Comparison, theirs: Comparison, only: Set[str] | None = None) -> bool:
    """Whether what stands on one side here stands on the other there, by all words or by some `only`."""
    better, worse = (side if only is None else side & only for side in (ours.better, ours.worse))
    straight = len(better & theirs.better) + len(worse & theirs.worse)
    crossed = len(better & theirs.worse) + len(worse & theirs.better)
    return crossed > straight


_OPENERS = frozenset(
    "together unlike besides apart relative analysis analyses comparison comparisons combination evidence "
    "treatment use".split()
)
"""Words that open a sentence with a capital and name nothing."""


def _may_be_name(token: Token) -> bool:
    """Whether a capitalised word that opens a sentence may be a name: no scaffolding, direction, verb or adverb."""
    return (
        token.content
        and token.text[0].isupper()
        and not token.free
        and side(token) is None
        and token.lower not in _OPENERS | NEGATORS
        and not token.lower.endswith(("ing", "ed", "ly"))
    )


def _against_which(held: Sequence[Token], place: int) -> bool:
    """Whether the word at `place` is what something is compared with: right after "than" or a verb of winning."""
    return any(beats(token) or token.lower == "than" for token in held[max(0, place - 3) : place])


def _window(sentences: tuple[Sentence, ...], source: Source) -> _Window:
    held = tuple(tokens(sentence.text) for sentence in sentences)
    title = tokens(source.paper.title)
    subject = _subject(source)
    available = frozenset(keys(token for sentence in held for token in sentence) | keys(title) | subject)
    return _Window(sentences, held, title, subject, available)


def _all_excused(said: Sequence[Reach], held: Sequence[Reach]) -> bool:
    """Whether each negation said is one of those held, and no two the same one."""
    left = list(held)
    for ours in filter(None, said):
        same = next((theirs for theirs in left if _same_negation(ours, theirs)), None)
        if same is None:
            return False
        left.remove(same)
    return True


def _same_negation(ours: Reach, theirs: Reach) -> bool:
    """Whether two negations deny the same: the same first word, or two words in common."""
    if not theirs:
        return False
    heads = set(ours[0]) & set(theirs[0])
    return bool(heads) or len(_all(ours) & _all(theirs)) >= min(2, len(ours), len(theirs))


def _all(reach: Sequence[tuple[str, ...]]) -> set[str]:
    return {key for word in reach for key in word}


def _part_of_phrase(said: Sequence[Token], position: int, flat: Sequence[Token]) -> bool:
    """Whether a number is part of a phrase that the source has word by word ("Llama 2", "double descent")."""
    before = said[position - 1] if position else None
    after = said[position + 1] if position + 1 < len(said) else None
    for place, held in enumerate(flat):
        if held.lower != said[position].lower:
            continue
        if before is not None and before.name and place and flat[place - 1].lower == before.lower:
            return True
        if (
            after is not None
            and not held.text[0].isdigit()
            and place + 1 < len(flat)
            and after.keys
            and flat[place + 1].lower == after.lower
        ):
            return True
    return False


def _is_number(token: Token) -> bool:
    return token.quantity is not None


def _is_name(token: Token) -> bool:
    return token.name


_NAMED_THERE = re.compile(
    r"\(\s*([A-Za-z][\w.+-]{1,24})\s*\)"
    r"|\b(?:introduce|propose|present|call|called|dub|dubbed|term|termed|named)\s+(?:it\s+|as\s+)?"
    r"((?=\S*[A-Z])[A-Za-z][\w.+-]{1,24})"
)


def _subject(source: Source) -> frozenset[str]:
    """Names that the paper gives to what it is about; a statement may use them wherever its content stands."""
    given = (
        name for sentence in source.sentences for pair in _NAMED_THERE.findall(sentence.text) for name in pair if name
    )
    titled = (token for token in tokens(source.paper.title) if token.name and not token.text[1:].islower())
    named = (token for name in given for token in tokens("the " + name))
    return frozenset(key for token in [*named, *titled] for key in token.keys)


_JOINTS = re.compile(r"\s*(?:;|,?\s+\b(?:while|whereas)\b)\s*", re.IGNORECASE)


def _parts(text: str) -> list[str]:
    """The parts of a sentence that speak of different things: at a semicolon, "while" or "whereas"."""
    return [part for part in _JOINTS.split(text.rstrip(".")) if len(tokens(part)) >= MIN_WORDS]


def _united(verdicts: Sequence[Verdict]) -> tuple[Support, ...]:
    """One Support for each paper, in order of first use, its sentences in the abstract's order."""
    gathered: dict[str, tuple[Paper, dict[int, Sentence]]] = {}
    for verdict in verdicts:
        for support in verdict.support:
            _, kept = gathered.setdefault(support.paper.paper_id, (support.paper, {}))
            kept.update((sentence.position, sentence) for sentence in support.sentences)
    return tuple(Support(paper, tuple(kept[p] for p in sorted(kept))) for paper, kept in gathered.values())
