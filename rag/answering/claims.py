"""What a sentence claims beyond its words: negations, directions, comparisons, doubts, causes, an order in time.

Knows nothing of papers or evidence. Word lists are of English as papers are written in; none is tuned to a collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.answering.tokens import Token, unbracketed
from rag.text import stem

NEGATORS = frozenset(
    """not no never without neither nor cannot none nothing hardly barely rarely seldom scarcely fail fails failed
    failing lack lacks lacked lacking unable little few unlike""".split()
)

# Words that point the same way share a class; each class stands against its partner.
_UP = """increase increases increased increasing improve improves improved improving improvement improvements higher
highest more better best outperform outperforms outperformed outperforming exceed exceeds exceeded exceeding surpass
surpasses surpassed surpassing faster fastest quicker larger largest bigger greater greatest gain gains gained boost
boosts boosted boosting enhance enhances enhanced enhancing enhancement accelerate accelerates accelerated
accelerating acceleration superior rise rises rising raise raises raised grow grows growing grew strengthen
strengthens stronger longer beat beats beating above benefit benefits benefited speed speeds speedup overestimate
overestimates overestimation overestimated expand expands amplify amplifies amplified excel excels raising double
doubles doubled doubling maximum maximize maximizes maximizing widen widens deeper richer strongest biggest quickly
rose risen heightened elevate elevates elevated elevating elevation upregulate upregulates upregulated upregulation
lengthen lengthens lengthened lengthening prolong prolongs prolonged prolonging"""
_DOWN = """decrease decreases decreased decreasing reduce reduces reduced reducing reduction reductions lower lowers
lowered lowering lowest less fewer fewest worse worst underperform underperforms underperformed underperforming
degrade degrades degraded degrading degradation harm harms harmed harming hurt hurts hurting slower slowest slow
slows slowed smaller smallest drop drops dropped dropping decline declines declined declining inferior weaken weakens
weakened weaker shorter shorten shortens shortened fall falls fell falling below lose loses losing lost shrink shrinks
shrinking cut cuts cutting diminish diminishes diminished lag lags lagging trail trails minimize minimizes minimizing
minimum underestimate underestimates underestimation underestimated worsen worsens worsened impair impairs impaired
undermine undermines save saves saving savings mitigate mitigates mitigated mitigating alleviate alleviates least
halve halves halved halving narrow narrows shallower poorer
poorest weakest slowly fallen downregulate downregulates downregulated downregulation
deteriorate deteriorates deteriorated deteriorating deterioration"""
_OPPOSITES = """
possible/impossible necessary/unnecessary sufficient/insufficient stable/unstable reliable/unreliable
efficient/inefficient effective/ineffective able/unable successful/unsuccessful common/uncommon aware/unaware
relevant/irrelevant dependent/independent similar/dissimilar similar/different same/different positive/negative
easy/difficult easy/hard easier/harder simple/complex strong/weak high/low early/late earlier/later before/after
first/last always/never all/none many/few often/rarely frequently/rarely with/without include/exclude
includes/excludes succeed/fail succeeds/fails robust/fragile robust/brittle robust/vulnerable encourage/discourage
prevent/cause prevents/causes preserve/destroy allow/prevent allows/prevents enable/prevent enables/prevents
agree/disagree accurate/inaccurate consistent/inconsistent known/unknown seen/unseen labeled/unlabeled
labelled/unlabelled supervised/unsupervised feasible/infeasible safe/unsafe safe/harmful beneficial/harmful
helpful/harmful beneficial/detrimental universal/specific dense/sparse static/dynamic global/local upper/lower
internal/external cheap/expensive cheaper/costlier short/long linear/nonlinear explicit/implicit direct/indirect
fixed/variable frozen/trainable online/offline homogeneous/heterogeneous significant/negligible
substantial/negligible significantly/slightly substantially/slightly dramatically/slightly regular/irregular
complete/incomplete biased/unbiased fair/unfair likely/unlikely fully/partially smooth/rough contrary/consistent
public/private positively/negatively worthwhile/pointless useful/useless sensitive/insensitive sensitive/robust
gradually/abruptly monolingual/multilingual adequate/inadequate encode/decode
wide/narrow lean/obese inhibit/stimulate inhibit/promote inhibit/induce suppress/promote
suppress/stimulate suppress/induce  enhance/inhibit enhance/suppress enhance/diminish promote/reduce
promote/prevent antagonize/promote antagonize/induce induce/block block/promote block/allow accelerate/delay
raise/impair strengthen/impair delayed/early delayed/accelerated day/week day/month day/year week/month week/year
month/year hour/day hour/week minute/hour male/female men/women maternal/paternal acute/chronic gain/loss
accept/reject support/refute presence/absence above/below earlier/afterwards cytoplasm/nucleus proximal/distal
anterior/posterior left/right donor/recipient systolic/diastolic sense/antisense N-terminal/C-terminal
import/export influx/efflux phosphorylate/dephosphorylate
methylated/unmethylated""".split()

_EXCHANGED_PREFIXES = [
    tuple(pair.split("/"))
    for pair in """up/down hyper/hypo over/under pre/post intra/extra intra/inter pro/anti pro/ant in/out
    homo/hetero mono/poly ag/antag endo/exo macro/micro eu/hetero""".split()
]


# --- negation and direction -----------------------------------------------------------------------------------------

_SCOPE = 5  # content words after a negator that it can reach
CLAUSE_ENDS = frozenset({"but", "while", "whereas", "although", "though", "because", "yet", ";"})
_JOINTS = frozenset({",", ";", ":", "(", ")", "--", "—"})


Reach = tuple[tuple[str, ...], ...]


def negated(sequence: Sequence[Token], besides: frozenset[str] = frozenset()) -> list[Reach]:
    """For each negation, those `besides` left out, the keys of each content word in its reach, nearest first."""
    return [
        tuple(_reach(sequence[position + 1 :]))
        for position, token in enumerate(sequence)
        if token.lower not in besides and _negates(sequence, position)
    ]


EXCEPTING = frozenset({"without", "unlike", "rather", "instead", "lack", "lacks", "lacked", "lacking"})
"""Negations that another wording may only imply, as `implied` finds it."""

_IMPLYING = frozenset(
    """absence absent contrast compared different differs distinct instead deficient deficiency devoid free null
    avoid avoids eluded independent independently""".split()
)


def implied(sequence: Sequence[Token]) -> list[Reach]:
    """Reaches of words that another wording may put as a negation ("in the absence of", "X-deficient")."""
    found = []
    for position, token in enumerate(sequence):
        if token.lower in _IMPLYING or any(token.lower.endswith("-" + word) for word in ("deficient", "free", "null")):
            around = [
                *reversed(list(_reach(sequence[max(0, position - 4) : position]))),
                *_reach(sequence[position + 1 :]),
            ]
            found += [tuple(around), tuple(_reach(sequence[position + 1 :]))]
    return found


def near_negation(sequence: Sequence[Token]) -> set[str]:
    """Keys of the words on either side of a negation, within its clause: what it may deny in another word order."""
    found: set[str] = set()
    for position in range(len(sequence)):
        if _negates(sequence, position):
            before = _until_clause_end(sequence[max(0, position - _SCOPE) : position][::-1])
            after = _until_clause_end(sequence[position : position + 2 * _SCOPE + 1])
            found |= {key for token in [*before, *after] for key in token.keys}
    return found


def _until_clause_end(part: Sequence[Token]) -> Sequence[Token]:
    end = next((place for place, token in enumerate(part) if token.lower in CLAUSE_ENDS), len(part))
    return part[:end]


def _negates(sequence: Sequence[Token], position: int) -> bool:
    token = sequence[position]
    following = sequence[position + 1].lower if position + 1 < len(sequence) else ""
    if token.lower == "not" and following in {"only", "just", "merely"}:
        return False
    if token.lower in {"little", "few"}:
        return position > 0 and sequence[position - 1].lower not in {"a", "the", "as", "with", "only"}
    if token.lower == "no" and following in {"more", "less", "fewer", "later", "longer"}:
        return following == "longer"
    if token.lower in {"instead", "rather"}:
        return following in {"of", "than"}
    return token.lower in NEGATORS or token.lower.endswith("n't")


def _reach(following: Sequence[Token]) -> Iterable[tuple[str, ...]]:
    taken = 0
    for token in following:
        if taken == _SCOPE or token.lower in CLAUSE_ENDS or (taken and token.lower in _JOINTS):
            return
        if token.keys:
            yield token.keys
            taken += 1


_SIDES = {word: side for side, block in (("up", _UP), ("down", _DOWN)) for word in block.split()}
_CONTRARY: dict[str, set[str]] = {}
for _pair in _OPPOSITES:
    _left, _right = _pair.split("/")
    _CONTRARY.setdefault(stem(_left), set()).add(stem(_right))
    _CONTRARY.setdefault(stem(_right), set()).add(stem(_left))


def side(token: Token) -> str | None:
    """`up` or `down` for a word of direction ("outperforms", "fewer"), else None."""
    return _SIDES.get(token.lower)


@lru_cache(maxsize=4096)
def opposites(token: Token) -> frozenset[str]:
    """Stems of the words that say the contrary ("necessary" of "unnecessary"), by list and by negative prefix."""
    word = token.lower
    if not token.keys or len(word) < 4:
        return frozenset(_CONTRARY.get(stem(word), ()))
    prefixed = {stem(prefix + word) for prefix in ("un", "in", "im", "ir", "non", "dis")}
    stripped = {
        stem(word[len(prefix) :])
        for prefix in ("un", "in", "im", "ir", "non", "dis")
        if word.startswith(prefix) and len(word) - len(prefix) > 4
    }
    exchanged = {
        stem(ours + word[len(theirs) :])
        for pair in _EXCHANGED_PREFIXES
        for ours, theirs in (pair, pair[::-1])
        if word.startswith(theirs) and len(word) - len(theirs) > 3
    } | {
        stem((ours + word[len(theirs) :]).replace("-", ""))
        for pair in _EXCHANGED_PREFIXES
        for ours, theirs in (pair, pair[::-1])
        if word.startswith(theirs + "-")
    }
    return frozenset(_CONTRARY.get(stem(word), set()) | prefixed | stripped | exchanged) - set(token.keys)


_BEATS = re.compile(r"^(?:outperform|surpass|exceed|beat|underperform|outpac|lag|trail)", re.IGNORECASE)
BE = frozenset({"is", "are", "was", "were", "be", "been"})
"""What passive verbs are made with."""


def beats(token: Token) -> bool:
    """Whether the word says that one thing wins or loses against another ("outperforms", "lags")."""
    return _BEATS.match(token.lower) is not None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The words that tell the two sides apart, the favoured side first, and those that both sides share."""

    better: frozenset[str]
    worse: frozenset[str]
    shared: frozenset[str]

    @property
    def words(self) -> frozenset[str]:
        """All of its words."""
        return self.better | self.worse | self.shared


def comparisons(sequence: Sequence[Token]) -> list[Comparison]:
    """The comparisons made, each within its clause.

    The hinge is a verb such as "outperforms" (turned round by "is … by") or the word "than".
    """
    return [
        _comparison(sequence, position)
        for position, token in enumerate(sequence)
        if beats(token) or token.lower == "than"
    ]


def _comparison(sequence: Sequence[Token], position: int) -> Comparison:
    left = _joined(_without_hinge(clause(sequence[max(0, position - 12) : position][::-1])[::-1]))
    right = _joined(clause(sequence[position + 1 : position + 9]))
    better, worse = (right, left) if beats(sequence[position]) and _passive(sequence, position) else (left, right)
    return Comparison(frozenset(better - worse), frozenset(worse - better), frozenset(left & right))


def clause(part: Sequence[Token]) -> list[Token]:
    """What comes before the next mark or word that ends a clause."""
    end = next((place for place, token in enumerate(part) if token.lower in CLAUSE_ENDS | _JOINTS), len(part))
    return list(part[:end])


def _joined(part: Sequence[Token]) -> set[str]:
    return {token.keys[0] for token in part if token.content}


def _without_hinge(part: Sequence[Token]) -> list[Token]:
    """The words before a hinge, without the direction that belongs to it ("larger models are *faster* than")."""
    last = next((place for place in range(len(part) - 1, -1, -1) if side(part[place]) is not None), None)
    return [token for place, token in enumerate(part) if place != last or place < len(part) - 4]


def _passive(sequence: Sequence[Token], position: int) -> bool:
    followed = position + 1 < len(sequence) and sequence[position + 1].lower == "by"
    return followed and any(token.lower in BE for token in sequence[max(0, position - 3) : position])


# --- sides, order and certainty -------------------------------------------------------------------------------------

_SET_AGAINST = frozenset({"compared", "relative", "versus", "vs", "than"})
_LONGEST_SIDE = 14


@dataclass(frozen=True, slots=True)
class Contrast:
    """What is set against what ("A … compared with B"): the words of `subject`, those of `reference` and the
    direction said of the subject, `up`, `down` or None."""

    subject: frozenset[str]
    reference: frozenset[str]
    pointing: str | None

    def turns(self, other: Contrast) -> bool:
        """Whether the two say the contrary: sides changed and not the direction, or the direction and not the sides."""
        ours, theirs = self.reference - self.subject, other.reference - other.subject
        crossed = min(len(ours & other.subject - theirs), len(theirs & self.subject - ours))
        straight = len(ours & theirs)
        if self.pointing is not None and other.pointing is not None and self.pointing != other.pointing:
            return straight > 1 and not crossed
        return crossed > straight


def contrasts(sequence: Sequence[Token]) -> list[Contrast]:
    """The contrasts drawn with "than", "compared with", "relative to" or "versus", brackets left out.

    "fewer than 10,000" sets nothing against anything.
    """
    bare = unbracketed(sequence)
    return [
        _contrast(bare, place)
        for place, token in enumerate(bare)
        if token.lower in _SET_AGAINST and not any(after.quantity for after in bare[place + 1 : place + 2])
    ]


def _contrast(sequence: Sequence[Token], place: int) -> Contrast:
    after = list(sequence[place + 1 : place + 1 + _LONGEST_SIDE])
    reference = clause(after)
    before = _sentence_part(sequence[:place])
    if len(before) < 3:
        before = _sentence_part(after[len(reference) + 1 :], first=True)
    pointing = next((side(token) for token in reversed(before) if side(token)), None)
    words = _joined(reference[:8])
    return Contrast(frozenset(_joined(before)), frozenset(words), pointing)


def _sentence_part(part: Sequence[Token], *, first: bool = False) -> list[Token]:
    """The words up to the nearest mark that is stronger than a comma."""
    ends = [place for place, token in enumerate(part) if token.lower in CLAUSE_ENDS]
    if first:
        return list(part[: ends[0]] if ends else part)
    return list(part[ends[-1] + 1 :] if ends else part)


_HEDGES = frozenset(
    """may might could likely possibly possible perhaps potentially appear appears appeared seem seems seemed
    probable probably presumably putative hypothesis hypothesize hypothesized""".split()
)
_HEDGING = _HEDGES | frozenset(
    """potential suggest suggests suggested suggesting indicate indicates indicating imply implies implied implicated
    can propose proposes proposed speculate would should promising promise unclear unlikely""".split()
)
_CAUSAL = frozenset("because cause causes caused causing explain explains lead leads allow allows".split())
_CAUSING = _CAUSAL | frozenset(
    """allowing leading led due owing so thus therefore thereby hence since as result results resulting resulted by make
    makes making made produce produces produced induce induces induced trigger triggers triggered enable enables
    enabling through via account accounts reason give gives rise explained explaining attributable effect effects
    responsible contribute contributes permit permits let lets""".split()
)


def unhedged(said: Sequence[Token], held: Sequence[Token]) -> str:
    """The word of doubt in `held` that `said` turns into plain fact, or ""."""
    if any(token.lower in _HEDGING for token in said):
        return ""
    return next((token.text for token in held if token.lower in _HEDGES), "")


def causes_added(said: Sequence[Token], held: Sequence[Token]) -> str:
    """The word of cause in `said` where `held` speaks of none, or ""."""
    if any(token.lower in _CAUSING for token in held):
        return ""
    return next((token.text for token in said if token.lower in _CAUSAL), "")


_BEFORE = frozenset({"before", "prior"})
_AFTER = frozenset({"after", "following"})


def order_turned(said: Sequence[Token], held: Sequence[Token]) -> str:
    """ "before" where `held` has only "after", or the other way round; else ""."""
    ours, theirs = ({token.lower for token in sequence} for sequence in (said, held))
    for one, other in ((_BEFORE, _AFTER), (_AFTER, _BEFORE)):
        if ours & one and not ours & other and theirs & other and not theirs & one:
            return min(ours & one)
    return ""
