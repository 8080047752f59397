from __future__ import annotations

import pytest

from rag.answering.claims import (
    Quantity,
    causes_added,
    comparisons,
    contrasts,
    implied,
    is_free,
    keys,
    matches,
    near_negation,
    negated,
    opposites,
    order_turned,
    side,
    tokens,
    unbracketed,
    unhedged,
)
from rag.text import stem


def quantity(text: str) -> Quantity:
    [found] = [token.quantity for token in tokens(text) if token.quantity is not None]
    return found


def denied(text: str) -> list[str]:
    """The nearest stem that each negation reaches."""
    return [reach[0][0] for reach in negated(tokens(text)) if reach]


# --- numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("84%", 84, "%"),
        (r"84\%", 84, "%"),
        ("84 percent", 84, "%"),
        ("7B", 7e9, ""),
        ("7 billion", 7e9, ""),
        ("1.5 million", 1.5e6, ""),
        ("10k", 1e4, ""),
        ("3,019", 3019, ""),
        ("4.31times", 4.31, "x"),
        ("2x", 2, "x"),
        ("12 hours", 12, "h"),
        ("5 ms", 5, "ms"),
        ("-3", -3, ""),
        ("+3", 3, ""),
        ("twice", 2, ""),
        ("half", 0.5, ""),
        ("seven", 7, ""),
    ],
)
def test_a_quantity_is_read_as_meant(text: str, value: float, unit: str) -> None:
    assert quantity(text) == Quantity(value, unit)


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        pytest.param("84%", "84 percent", True, id="two spellings of a unit"),
        pytest.param("7B", "7 billion", True, id="two spellings of a multiplier"),
        pytest.param("0.50", "half", True, id="a word for a number"),
        pytest.param("84%", "84", True, id="no unit fits any"),
        pytest.param("12 hours", "12 days", False, id="another unit"),
        pytest.param("84%", "48%", False, id="another number"),
        pytest.param("7B", "7M", False, id="another multiplier"),
    ],
)
def test_quantities_agree_in_value_and_unit(one: str, other: str, agree: bool) -> None:
    assert quantity(one).agrees(quantity(other)) is agree
    assert quantity(other).agrees(quantity(one)) is agree


@pytest.mark.parametrize("text", ["23 languages", "8 GPUs", "14 harbours"])
def test_what_a_number_counts_is_a_word_of_its_own(text: str) -> None:
    assert [token.keys for token in tokens(text) if token.content] == [(stem(text.split()[1].lower()),)]


def test_digits_inside_a_name_are_no_number() -> None:
    assert not [token for token in tokens("the GPT-4 and LLAMA2-70B models") if token.quantity]


# --- words and names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["we use GPT-4", "we use w2v", "we use BERT", "we use SmolLM", "we ask Paris"])
def test_a_name_is_told_by_its_letters(text: str) -> None:
    assert [token.name for token in tokens(text)] == [False, False, True]


@pytest.mark.parametrize("text", ["Glaciers move", "we ask people"])
def test_an_ordinary_word_is_no_name(text: str) -> None:
    assert not any(token.name for token in tokens(text))


@pytest.mark.parametrize("said", ["pre-training", "pretraining", "Pre-Training"])
@pytest.mark.parametrize("held", ["pre-training", "pretraining", "pre training"])
def test_spellings_of_a_compound_match(said: str, held: str) -> None:
    available = keys(tokens(held))
    assert all(matches(token, available) for token in tokens(said) if token.keys)


def test_a_compound_matches_its_parts_only_all_together() -> None:
    [said] = tokens("state-space")
    assert matches(said, {"state", "space"})
    assert not matches(said, {"state"})


def test_a_possessive_is_the_word_itself() -> None:
    assert tokens("Pebble's")[0].keys == tokens("Pebble’s")[0].keys == ("pebbl",)


def test_function_words_have_no_keys_and_match_nothing() -> None:
    [the] = tokens("the")
    assert the.keys == ()
    assert not matches(the, {"the"})


def test_scaffolding_is_free() -> None:
    shows, glaciers = tokens("shows glaciers")
    assert (shows.free, glaciers.free) == (True, False)
    assert is_free(["propos", "method"])


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


def test_the_plural_of_an_abbreviation_is_the_abbreviation() -> None:
    singular, plural = tokens("the PDAC")[1], tokens("the PDACs")[1]
    assert matches(singular, keys([plural]))
    assert matches(plural, keys([singular]))


@pytest.mark.parametrize(("text", "unit"), [("6.8 ng", "ng"), ("6.8 mg", "mg"), ("5 µg", "ug"), ("5 microg", "ug")])
def test_small_units_are_told_apart(text: str, unit: str) -> None:
    assert quantity(text).unit == unit


def test_what_stands_in_brackets_does_not_part_a_comparison() -> None:
    assert [token.text for token in unbracketed(tokens("Ash (a tree (small)) is older than oak"))] == [
        *("Ash", "is", "older", "than", "oak")
    ]


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
