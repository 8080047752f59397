"""A sentence as words, names and quantities."""

from __future__ import annotations

import pytest

from rag.answering.tokens import Quantity, is_free, keys, matches, tokens, unbracketed
from rag.text import stem


def quantity(text: str) -> Quantity:
    [found] = [token.quantity for token in tokens(text) if token.quantity is not None]
    return found


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


@pytest.mark.parametrize(("text", "unit"), [("6.8 ng", "ng"), ("6.8 mg", "mg"), ("5 µg", "ug"), ("5 microg", "ug")])
def test_small_units_are_told_apart(text: str, unit: str) -> None:
    assert quantity(text).unit == unit


@pytest.mark.parametrize("text", ["23 languages", "8 GPUs", "14 harbours"])
def test_what_a_number_counts_is_a_word_of_its_own(text: str) -> None:
    assert [token.keys for token in tokens(text) if token.content] == [(stem(text.split()[1].lower()),)]


def test_digits_inside_a_name_are_no_number() -> None:
    assert not [token for token in tokens("the GPT-4 and LLAMA2-70B models") if token.quantity]


# --- words and names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["we use GPT-4", "we use Phi-3.5", "we use BERT", "we use SmolLM", "we ask Paris"])
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


def test_the_plural_of_an_abbreviation_is_the_abbreviation() -> None:
    singular, plural = tokens("the PDAC")[1], tokens("the PDACs")[1]
    assert matches(singular, keys([plural]))
    assert matches(plural, keys([singular]))


def test_what_stands_in_brackets_does_not_part_a_comparison() -> None:
    assert [token.text for token in unbracketed(tokens("Ash (a tree (small)) is older than oak"))] == [
        *("Ash", "is", "older", "than", "oak")
    ]
