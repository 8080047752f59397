"""Whether a text has a verb that makes a statement of it, as far as the forms of English words tell.

Word lists and neighbours, no model. A verb that stands in no list, and nowhere in the source where verbs stand, is
missed: the sentence is quoted then.
"""

from __future__ import annotations

import re
from collections.abc import Set
from itertools import pairwise
from typing import Final

from rag.answering.tokens import MARKS, tokens, unbracketed

VERBS: Final = frozenset(
    """absorb accelerate accept accommodate account accumulate achieve act activate adapt add address affect aggregate
    aim align alleviate allow alter ameliorate amplify analyse analyze annotate appear apply argue arise ask assess
    assign associate assume attain attend augment avoid balance become begin belong benefit bind boost break bridge
    bring build capture carry cause change characterize choose clarify close cluster combine compare compete compose
    comprise compute concern conclude condition conduct confer confirm conserve consider consist constitute
    constrain construct contain continue contribute control converge convert convey correct correlate cost cover
    create cut damage deal decline decouple decrease define degrade deliver demonstrate denote depend derive
    describe destroy detach detect determine develop deviate differ differentiate diminish discriminate discuss
    display distinguish drive drop elevate elicit eliminate elongate elucidate emerge emit emphasize employ enable
    encode encompass encourage enforce enhance ensure entail equal establish estimate evaluate evolve examine exceed
    excel exhibit exist expand expect explain exploit explore express extend extract facilitate fail fall favor fill
    find fit flow focus follow formulate gain generalize generate give go govern grow guarantee guide halve handle
    harm help highlight hinder hint hold identify illustrate impair impede imply impose improve include incorporate
    increase incur indicate induce infect influence inform inhibit initiate inject integrate interact interfere
    introduce investigate involve keep kill know lack lead learn leave leverage lie limit lose lower maintain make
    map match maximize mean measure mediate melt mimic minimize mitigate mobilize modulate monitor motivate move
    need neglect obtain occupy occur offer operate optimize outperform overcome owe participate perform permit
    persist play point possess potentiate predict present preserve prevent produce promote prompt propose protect
    prove provide pursue raise range reach read receive recognize recommend reconstruct reduce reflect regulate
    reinforce relate release rely remain remove render replace report represent repress require resemble reside
    resolve respond restrict retain retrieve reveal rise run save say scale search see seek seem select separate
    serve share shed shift show shrink simplify simulate solve sort speed spend stabilize stand start stem stimulate
    store strengthen stress succeed suffer suggest summarize support suppress surpass survive sustain tackle take
    target teach tend train transfer transform treat trigger turn uncover underestimate undergo underlie
    underperform understand unify use utilize validate vary verify visualize weaken widen work yield""".split()
)
_FINITE: Final = frozenset(
    """is are was were has have had do does did can could may might will would should must cannot found led showed made
    gave took became began grew rose fell held kept lost saw got underwent came went arose drove met
    sought shed""".split()
)
_NOUNS: Final = frozenset(
    """changes conditions limits points ranges scales shifts targets transfers account balance bridge cause
    change concern condition point range report scale shift speed start stress target transfer turn use
    work""".split()
)
"""Forms of verbs that are nouns as often."""

_BEFORE_NOUNS: Final = frozenset(
    """a an the this these those its their his her our each every any some no such of in on at by for with from into
    onto over under via per and or as than between among without within through across using more less most least
    not""".split()
)
_SUBORDINATING: Final = frozenset("to that which who where when if while because whether what how".split())
_AFTER_PARTICIPLES: Final = frozenset(
    """by on in as with for to at from using of and or through via during after before into under over""".split()
)
_PREPOSITIONS: Final = frozenset("by in of on for with from at through under".split())
_BEFORE_VERBS: Final = frozenset("to that which who we can may could might will cannot".split())


def heard_as_verbs(text: str) -> frozenset[str]:
    """The verbs of the list, and what the text says after "to", "which", "we" and their like."""
    pairs = pairwise(tokens(text))
    return VERBS | {token.lower for before, token in pairs if before.lower in _BEFORE_VERBS and token.content}


def has_verb(text: str, verbs: Set[str]) -> bool:
    """Whether one of these verbs, or an auxiliary, makes a statement of what stands before a colon and no bracket."""
    told = [token.lower for token in unbracketed(tokens(text.partition(": ")[0])) if not token.lower.endswith("ly")]
    likely = relative = False
    for before, word, after in zip(told, told[1:], [*told[2:], ""], strict=False):
        likely = likely or (word in verbs - _NOUNS and before not in _BEFORE_NOUNS)
        # A clause with a verb of its own: "the means by which dikes hold".
        relative = relative or (word == "which" and before in _PREPOSITIONS and not likely)
        if _finite(before, word, after, verbs):
            if not relative:
                return True
            relative = False
    return False


def _finite(before: str, word: str, after: str, verbs: Set[str]) -> bool:
    """Whether a word, between its neighbours, makes a statement as far as its form tells."""
    if word in _FINITE:
        return before not in _SUBORDINATING
    if before in _BEFORE_NOUNS | _SUBORDINATING | MARKS or word in _NOUNS:
        return False
    if word.endswith("s") and not word.endswith("ss"):
        return _verb(word, "s", verbs) and bool(after) and after not in {"and", "or"} | MARKS
    if word.endswith("ed"):
        return _verb(word, "ed", verbs) and bool(after) and after not in _AFTER_PARTICIPLES | MARKS
    plural = (before.endswith("s") and not before.endswith("ss")) or before in {"data", "people", "and"}
    return word in verbs and plural


def _verb(word: str, ending: str, verbs: Set[str]) -> bool:
    """Whether the word is a verb with this ending: "shows", "passes", "varies", "tried"."""
    bare = word.removesuffix(ending)
    return bool({word, bare, bare + "e", bare.removesuffix("e"), re.sub("ie?$", "y", bare)} & verbs)
