"""What a sentence claims: negations, directions, comparisons, doubts, causes, an order in time."""

from __future__ import annotations

import pytest

from rag.answering.claims import (
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
from rag.answering.tokens import tokens
from rag.text import stem


def denied(text: str) -> list[str]:
    """The nearest stem that each negation reaches."""
    return [reach[0][0] for reach in negated(tokens(text)) if reach]


# --- negation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("It does not improve accuracy.", ["improv"]),
        ("It doesn't improve accuracy.", ["improv"]),
        ("It doesn’t improve accuracy.", ["improv"]),
        ("It cannot scale.", ["scale"]),
        ("It works without labels.", ["label"]),
        ("It fails to converge.", ["converg"]),
        ("There is little overlap.", ["overlap"]),
        ("We use code instead of text.", ["text"]),
        ("It no longer converges.", ["longer"]),
        ("Neither labels nor rewards help.", ["label", "reward"]),
    ],
)
def test_a_negation_reaches_what_follows(text: str, reached: list[str]) -> None:
    assert denied(text) == reached


@pytest.mark.parametrize(
    "text",
    [
        "It needs not only labels.",
        "A few labels help.",
        "It needs a little time.",
        "It has no more than ten layers.",
        "It is good.",
    ],
)
def test_what_looks_like_a_negation_and_is_none(text: str) -> None:
    assert denied(text) == []


def test_a_negation_ends_with_its_clause() -> None:
    [reach] = negated(tokens("It does not shrink models, which helps accuracy"))
    assert reach == (("shrink",), ("model",))
    [reach] = negated(tokens("It does not shrink models but grows them"))
    assert reach == (("shrink",), ("model",))


# --- directions and opposites -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "pointing"),
    [("outperforms", "up"), ("Faster", "up"), ("fewer", "down"), ("halves", "down"), ("glacier", None)],
)
def test_words_of_direction(word: str, pointing: str | None) -> None:
    assert side(tokens(word)[0]) == pointing


@pytest.mark.parametrize(
    ("word", "contrary"),
    [
        pytest.param("necessary", "unnecessary", id="by list"),
        pytest.param("unhelpful", "helpful", id="prefix taken away"),
        pytest.param("monotonic", "nonmonotonic", id="prefix added"),
        pytest.param("dense", "sparse", id="another word"),
        pytest.param("all", "none", id="function words"),
    ],
)
def test_a_word_has_its_contrary(word: str, contrary: str) -> None:
    assert stem(contrary) in opposites(tokens(word)[0])


def test_a_word_is_not_its_own_contrary() -> None:
    for word in ("necessary", "indeed", "dense", "under"):
        [token] = tokens(word)
        assert not opposites(token) & set(token.keys)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Pebble outperforms Boulder", id="active"),
        pytest.param("Boulder is outperformed by Pebble", id="passive"),
        pytest.param("Pebble is better than Boulder", id="than"),
    ],
)
def test_the_favoured_side_stands_first(text: str) -> None:
    [comparison] = comparisons(tokens(text))
    assert (comparison.better, comparison.worse) == ({"pebbl"}, {"boulder"})


def test_words_on_both_sides_tell_nothing_apart() -> None:
    [comparison] = comparisons(tokens("dense models beat sparse models"))
    assert (comparison.better, comparison.worse, comparison.shared) == ({"dens"}, {"spars"}, {"model"})


def test_each_clause_has_its_own_comparison() -> None:
    first, second = comparisons(
        tokens("small models learn better than large ones, while large ones read faster than small ones")
    )
    assert (first.better & first.worse, "small" in first.better, "larg" in second.better) == (set(), True, True)


def test_without_a_comparison_there_are_no_sides() -> None:
    assert comparisons(tokens("Pebble is a compact encoder")) == []


# --- sides, order and certainty ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "contrary"),
    [
        ("hypermethylated", "hypomethylated"),
        ("intracellular", "extracellular"),
        ("overexpression", "underexpression"),
        ("pre-operative", "postoperative"),
        ("inpatients", "outpatients"),
        ("weeks", "years"),
        ("promotes", "inhibits"),
        ("obese", "lean"),
    ],
)
def test_a_contrary_is_told_by_prefix_or_list(word: str, contrary: str) -> None:
    assert stem(contrary) in opposites(tokens("the " + word)[1])


HIGHER = "Expression levels of Ash cells were increased compared with those of Birch cells."


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        pytest.param("Birch cells had higher expression levels than Ash cells.", True, id="sides"),
        pytest.param("Compared with Ash cells, Birch cells had increased levels.", True, id="sides, fronted"),
        pytest.param("Ash cells had higher expression levels than Birch cells.", False, id="the same"),
        pytest.param("Compared with Birch cells, Ash cells had increased levels.", False, id="the same, fronted"),
        pytest.param("Birch cells had lower expression levels than Ash cells.", False, id="sides and direction"),
    ],
)
def test_a_contrast_is_turned_when_its_sides_change_places(text: str, turned: bool) -> None:
    [ours], [theirs] = contrasts(tokens(text)), contrasts(tokens(HIGHER))
    assert ours.turns(theirs) is turned


def test_an_amount_is_no_side_of_a_contrast() -> None:
    assert not contrasts(tokens("Ash needs fewer than 10,000 rings."))


@pytest.mark.parametrize(
    ("said", "held", "dropped"),
    [
        ("Ash repairs bark.", "Ash may repair bark.", "may"),
        ("Ash might repair bark.", "Ash may repair bark.", ""),
        ("Results suggest that Ash repairs bark.", "Ash may repair bark.", ""),
        ("Ash repairs bark.", "Ash repairs bark.", ""),
    ],
)
def test_a_doubt_may_not_become_a_fact(said: str, held: str, dropped: str) -> None:
    assert unhedged(tokens(said), tokens(held)) == dropped


@pytest.mark.parametrize(
    ("said", "added"), [("Frost causes cracks.", "causes"), ("Frost is associated with cracks.", "")]
)
def test_a_cause_may_not_be_added(said: str, added: str) -> None:
    assert causes_added(tokens(said), tokens("Frost was associated with cracks.")) == added


@pytest.mark.parametrize(("said", "turned"), [("Rings form before frost.", "before"), ("Rings form after frost.", "")])
def test_before_is_not_after(said: str, turned: str) -> None:
    assert order_turned(tokens(said), tokens("Rings form only after frost.")) == turned


def test_an_absence_may_be_told_with_without() -> None:
    assert (stem("light"),) in [reach[0] for reach in implied(tokens("In the absence of light, Ash wilts."))]


def test_what_a_negation_may_deny_ends_with_its_clause() -> None:
    assert near_negation(tokens("Ash wilts but oak does not grow")) == {"oak", "grow"}
