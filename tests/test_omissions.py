"""What a whole wording may not leave out."""

from __future__ import annotations

import pytest

from rag.answering.omissions import (
    unasked,
    uncalled,
    uncompared,
    unconditional,
    uncounted,
    undenied,
    unframed,
    unhedged,
    verbless,
)


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("Loaves rise twice as high.", "leaves out the condition 'if the yeast is fed'"),
        ("Loaves rise twice as high with fed yeast.", ""),
        ("Loaves rise.", "leaves out the condition 'if the yeast is fed'"),
    ],
    ids=["dropped", "kept in other words", "dropped with the rest"],
)
def test_a_condition_is_not_left_out(text: str, left_out: str) -> None:
    assert unconditional(text, "Specifically, if the yeast is fed, loaves rise twice as high.") == left_out


def test_what_is_said_of_some_is_not_said_of_all() -> None:
    source = "We show that collapse is necessary for ovens that satisfy a heat condition."
    assert unconditional("Collapse is necessary.", source) == "leaves out the condition 'that satisfy a heat condition'"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("We present a loom for silk.", "A loom for silk."),
        ("We extend the idea of drainage to hill farms.", "The idea of drainage to hill farms."),
        ("We provide bounds on the load of arches.", "Bounds on the load of arches."),
        ("This paper presents changes in rainfall.", "Changes in rainfall over decades."),
        ("Our study offers a method to find leaks.", "A method to find leaks."),
        ("We report losses reduced by drip irrigation.", "Losses reduced by drip irrigation."),
        ("We present a loom that weaves silk.", "A loom that weaves silk."),
        ("We describe an enzyme which is stable.", "An enzyme which is stable."),
        ("We describe letters (one is old) of sailors.", "Letters (one is old) of sailors."),
        ("We present SilkLoom, a loom for halls.", "SilkLoom loom: it is a loom for halls."),
        ("We discuss the means by which looms weave silk.", "The means by which looms weave silk."),
    ],
    ids=[
        "present",
        "extend",
        "provide",
        "this paper",
        "an infinitive",
        "a participle",
        "a relative clause",
        "which is",
        "a verb in brackets",
        "a verb after a colon",
        "a verb of its means",
    ],
)
def test_what_lost_its_verb_is_told(source: str, text: str) -> None:
    assert verbless(text, source) == "is no full sentence"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("We present a loom for silk.", "The loom is for silk."),
        ("We find that the drug reduces fever.", "The drug reduces fever."),
        ("We find that a tax, raised early, varies less.", "A tax varies less."),
        ("We show that irrigation reduced losses.", "Irrigation reduced losses."),
        ("We show that bees carry pollen.", "Bees carry pollen."),
        ("We show that the data reveal a trend.", "The data reveal a trend."),
        ("We provide evidence that arches can bend.", "Arches can bend."),
        ("We present a loom that quilts wool.", "The loom quickly quilts wool."),
        ("We present a loom that saves silk.", "A loom that saves silk is light."),
        ("This study shows that prices fell.", "Prices fell in spring."),
        ("We show that a loom by which silk is woven wears.", "A loom by which silk is woven shows wear."),
        ("We show that looms measure the rate at which silk moves.", "Looms measure the rate at which silk moves."),
    ],
    ids=[
        "is",
        "-s",
        "-ies",
        "-ed",
        "plural",
        "after data",
        "can",
        "a verb of the source's own",
        "besides a relative clause",
        "an old past",
        "behind a clause of its own",
        "before a clause of its own",
    ],
)
def test_a_sentence_with_its_verb_passes(source: str, text: str) -> None:
    assert verbless(text, source) == ""


@pytest.mark.parametrize(
    "source", ["Silk looms: a survey of guilds.", "A loom for silk."], ids=["a title", "a fragment"]
)
def test_of_what_never_had_a_verb_none_is_asked_for(source: str) -> None:
    assert verbless("A loom for silk.", source) == ""


def test_a_sentence_of_any_subject_has_to_keep_its_verb() -> None:
    assert verbless("A loom for silk.", "The guild presents a loom for silk.") == "is no full sentence"


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        (
            "On a frozen lake, the loom weaves 98% faster.",
            "The loom weaves 98% faster.",
            "leaves out 'On a frozen lake'",
        ),
        ("On a frozen lake, the loom weaves fast.", "The loom weaves fast on a lake.", ""),
        ("In this paper, the loom weaves fast.", "The loom weaves fast.", ""),
        ("In addition, the loom weaves fast.", "The loom weaves fast.", ""),
    ],
    ids=["left out", "elsewhere", "in this paper", "in addition"],
)
def test_what_a_sentence_narrows_itself_to_is_kept(source: str, text: str, told: str) -> None:
    assert unframed(text, source) == told


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        ("We believe that the loom suits silk.", "The loom suits silk.", "leaves out 'We believe'"),
        ("This hints at a faster loom.", "There is a faster loom.", "leaves out 'hints at'"),
        ("We believe that the loom suits silk.", "It is believed that the loom suits silk.", ""),
        ("We show that the loom suits silk.", "The loom suits silk.", ""),
    ],
    ids=["believe", "hints", "kept", "shown"],
)
def test_a_doubt_is_not_made_a_fact(source: str, text: str, told: str) -> None:
    assert unhedged(text, source) == told


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Loaves that are covered cannot be baked in the field.", id="another denial stays"),
        pytest.param("Loaves that are covered rise.", id="none stays"),
    ],
)
def test_a_not_that_is_left_out_is_told(text: str) -> None:
    source = "Loaves that are not covered and that therefore cannot be baked in the field rise."
    assert undenied(text, source) == "leaves out 'not' before 'covered'"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("Rye was not covered.", "The rye was not covered.", id="kept"),
        pytest.param("Uncovered rye showed no rise.", "Uncovered rye did not show any rise.", id="said otherwise"),
        pytest.param("Rye rises.", "Rye rises, but wheat does not rise at all.", id="of something else"),
        pytest.param("Rye rises fast.", "Rye rises fast and does not sink.", id="left out with what it denies"),
        pytest.param("Rye lifts loaves and feeds.", "Rye not only lifts loaves but feeds.", id="not only"),
    ],
)
def test_a_not_that_is_kept_or_not_needed_is_no_fault(text: str, source: str) -> None:
    assert undenied(text, source) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("Rye keeps gas in warm ovens.", True, id="told as found"),
        pytest.param("It was asked whether rye keeps gas in warm ovens.", False, id="told as asked"),
        pytest.param("Rye may keep gas in warm ovens.", False, id="told as a doubt"),
        pytest.param("Loaves of 12 bakers were weighed.", False, id="something else is told"),
    ],
)
def test_what_was_only_asked_is_not_told_as_found(text: str, *, told: bool) -> None:
    source = "Loaves of 12 bakers were weighed to see whether rye keeps gas in warm ovens."
    assert bool(unasked(text, source)) is told
    assert bool(unasked(text, "This study aimed to investigate how rye keeps gas in warm ovens.")) is told


KEEPS_GAS = "Rye keeps its gas for 12 hours (3x longer) than wheat (p < 0.05, 95% CI 2 to 4)."
OCCUR_ONCE = "Facts that occur exactly once in the data are lost."


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        pytest.param(KEEPS_GAS, "Rye keeps its gas for 12 hours, 3x longer.", "", id="but for statistics in brackets"),
        pytest.param(KEEPS_GAS, "Rye keeps its gas for 12 hours.", "leaves out the number '3x'", id="one left out"),
        pytest.param(KEEPS_GAS, "Rye keeps its gas.", "leaves out the number '12 hours'", id="both left out"),
        pytest.param(OCCUR_ONCE, "Facts that occur in the data are lost.", "leaves out 'once'", id="once left out"),
        pytest.param(OCCUR_ONCE, "Facts that occur once are lost.", "", id="once kept"),
        pytest.param(OCCUR_ONCE, "Facts are lost.", "", id="once left out with what it counts"),
    ],
)
def test_numbers_and_how_often_are_kept(source: str, text: str, told: str) -> None:
    assert uncounted(text, source) == told


PAYREX = "We present a new loom for silk, called PayRex."
WEAVE = "We present a loom dubbed warp-weighted loom (WWL) for silk."


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        pytest.param(PAYREX, "A new loom for silk is presented.", "leaves out the name 'PayRex'", id="left out"),
        pytest.param(PAYREX, "PayRex is a new loom.", "", id="kept"),
        pytest.param(WEAVE, "WWL is a loom for silk.", "", id="its short form kept"),
        pytest.param(WEAVE, "A loom for silk is presented.", "leaves out the name 'warp-weighted'", id="both left out"),
        pytest.param("A loom is presented.", "A loom.", "", id="none given"),
    ],
)
def test_the_name_that_the_sentence_gives_is_kept(source: str, text: str, told: str) -> None:
    assert uncalled(text, source) == told


@pytest.mark.parametrize(
    ("source", "text", "told"),
    [
        pytest.param(
            "A warped loom is faster than a frame.",
            "A warped loom is faster.",
            "leaves out what 'faster' compares with",
            id="than",
        ),
        pytest.param(
            "It gives a speedup of 1.3x over frames.",
            "It gives a speedup of 1.3x.",
            "leaves out what 'speedup' compares with",
            id="over",
        ),
        pytest.param(
            "A loom saves silk, compared to frames.",
            "A loom saves silk.",
            "leaves out what 'saves' compares with",
            id="compared to",
        ),
        pytest.param("A loom is faster than a frame.", "A loom is faster than others.", "", id="kept"),
        pytest.param("A loom, faster than a frame, is wide.", "A loom is wide.", "", id="left out with the rest"),
        pytest.param(
            "Silk is stronger; a loom is faster than a frame.", "Silk is stronger.", "", id="of another clause"
        ),
        pytest.param("It is older than the hall and uses silk.", "It uses silk.", "", id="nothing compared"),
    ],
)
def test_what_something_compares_with_is_kept(source: str, text: str, told: str) -> None:
    assert uncompared(text, source) == told


def test_how_things_do_is_a_question_where_that_is_studied() -> None:
    source = "We benchmark how effectively dikes of clay hold floods."
    assert unasked("Dikes of clay can hold floods.", source)
    assert not unasked("Dikes of clay can hold floods.", "We show how effectively dikes of clay hold floods.")


def test_the_extent_to_which_is_a_question() -> None:
    source = "We study the extent to which dikes of clay leak."
    assert unasked("Dikes of clay leak.", source)
    assert not unasked("The extent to which dikes of clay leak is studied.", source)
