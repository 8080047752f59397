from __future__ import annotations

import pytest

from rag.answering.writing import (
    LONGEST,
    cleaned,
    first_sentence,
    flaw,
    is_part,
    leans,
    loss,
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("Yes, they do. We train e.g. small ones.", ("Yes, they do.", True), id="of several"),
        pytest.param("- Rye rises.\nOats do not.", ("Rye rises.", True), id="of a list"),
        pytest.param("\n\n  Rye rises.", ("Rye rises.", True), id="after blank lines"),
        pytest.param("“Rye rises.”", ("“Rye rises.”", True), id="in quotation marks"),
        pytest.param("Rye rises", ("Rye rises", False), id="cut short"),
        pytest.param("Rye rises on\nwarm days.", ("Rye rises on", False), id="cut short by a line break"),
        pytest.param("", ("", False), id="none"),
        pytest.param(" \n", ("", False), id="blank"),
    ],
)
def test_the_first_sentence_is_taken_and_told_whether_it_ends(text: str, told: tuple[str, bool]) -> None:
    assert first_sentence(text) == told


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        pytest.param("Rye rises slowly [1].", "Rye rises slowly.", id="a marker"),
        pytest.param("Rye rises slowly. [99]", "Rye rises slowly.", id="a marker behind"),
        pytest.param("Rye [1, 2] rises [3][4] slowly.", "Rye rises slowly.", id="several"),
        pytest.param("Rye rises slowly (2).", "Rye rises slowly.", id="in parentheses"),
        pytest.param("Rye rises in 2 (of 3) ovens.", "Rye rises in 2 (of 3) ovens.", id="a number of its own"),
        pytest.param("- Rye rises slowly.", "Rye rises slowly.", id="a bullet"),
        pytest.param("2. Rye rises slowly.", "Rye rises slowly.", id="a list number"),
        pytest.param("Answer: Rye rises slowly.", "Rye rises slowly.", id="a lead"),
        pytest.param("In this paper, rye rises slowly.", "Rye rises slowly.", id="a setting"),
        pytest.param("In the present study mRye rises slowly.", "mRye rises slowly.", id="a setting before a name"),
        pytest.param("In this field, rye rises slowly.", "In this field, rye rises slowly.", id="a place"),
        pytest.param("Rye\u202e rises\u200b  slowly.", "Rye rises slowly.", id="hidden characters"),
    ],
)
def test_markers_and_bullets_of_the_model_are_taken_off(written: str, plain: str) -> None:
    assert cleaned(written) == plain


SOURCE = "We find that wild yeast makes the gas that lifts 12 loaves of rye."


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        pytest.param("Which yeast makes the gas that lifts 12 loaves?", "a question", id="a question"),
        pytest.param("Yeast makes gas.", "too short to say anything", id="short"),
        pytest.param("Wild yeast makes the gas, " * 20, "too long", id="long"),
        pytest.param("Sentence: wild yeast. Question: why?", "copied from the prompt", id="the prompt's label"),
        pytest.param("<|im_start|>assistant wild yeast.", "copied from the prompt", id="a template marker"),
        pytest.param("We find that yeast lifts 12 loaves.", "does not name whose work it speaks of", id="we"),
        pytest.param("The methods lift 12 loaves.", "does not name whose work it speaks of", id="the methods"),
        pytest.param("Such spaces have a metric of their own.", "does not name whose work it speaks of", id="such"),
        pytest.param("It lifts more than 12 loaves.", "does not name whose work it speaks of", id="it"),
    ],
)
def test_what_cannot_be_stated_is_told_by_its_form(sentence: str, reason: str) -> None:
    assert flaw(sentence, finished=True) == reason


def test_a_sentence_cut_short_is_told() -> None:
    assert flaw("Wild yeast makes the gas that lifts 12", finished=False) == "unfinished"


def test_a_rewording_without_we_has_no_flaw() -> None:
    assert flaw("Wild yeast makes the gas that lifts 12 loaves of rye.", finished=True) == ""


def test_the_longest_sentence_is_not_too_long() -> None:
    sentence = "Wild yeast makes the gas that lifts 12 loaves of rye, " + "x" * LONGEST
    assert flaw(sentence[:LONGEST], finished=True) == ""
    assert flaw(sentence[: LONGEST + 1], finished=True) == "too long"


@pytest.mark.parametrize(
    ("sentence", "leaning"),
    [
        ("We train on rye.", True),
        ("Rye keeps its gas.", True),
        ("The proposed oven is warm.", True),
        ("However, rye rises slowly.", True),
        ("Rye rises slowly.", False),
        ("Weather itself matters.", False),
    ],
)
def test_a_sentence_that_needs_its_abstract_leans(sentence: str, leaning: bool) -> None:
    assert leans(sentence) is leaning


# --- beside its source ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("Wild yeast makes the gas that lifts 12 loaves of rye.", "", id="nothing"),
        pytest.param("Wild yeast makes the gas that lifts twelve loaves of rye.", "", id="a number in words"),
        pytest.param("Wild yeast makes the gas that lifts loaves of rye.", "drops the number '12'", id="a number"),
        pytest.param(
            "There were 12 of them in the end.", "tells much less than the sentence it was made from", id="the rest"
        ),
    ],
)
def test_what_is_lost_of_the_source_is_told(text: str, reason: str) -> None:
    assert loss(text, SOURCE) == reason


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (SOURCE, True),
        ("wild yeast makes the gas.", True),
        ("WILD YEAST makes the gas that lifts 12 loaves of rye.", True),
        ("Wild yeast makes gas.", False),
    ],
    ids=["all of it", "a part", "other case", "a word left out"],
)
def test_a_part_of_the_source_is_told_from_a_rewording(text: str, part: bool) -> None:
    assert is_part(text, SOURCE) is part


@pytest.mark.parametrize(
    ("draft", "first"),
    [
        ("Rye rises very slowly. Oats do not.", ("Rye rises very slowly.", True)),
        ("[1]\n\n- Rye rises [2].", ("Rye rises.", True)),
        ("Rye rises in", ("Rye rises in", False)),
        ("Rye rises.\nOats", ("Rye rises.", True)),
        (" \n", ("", False)),
        ("", ("", False)),
    ],
    ids=["of two", "after what is cleaned away", "cut short", "of two lines", "blank", "empty"],
)
def test_the_first_sentence_of_a_draft(draft: str, first: tuple[str, bool]) -> None:
    assert first_sentence(draft) == first
