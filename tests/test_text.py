"""Untrusted text made safe; sentences with offsets; words and terms."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import BadQuestion
from rag.text import MAX_SENTENCE, clean_question, normalise, sentences, stem, terms, words


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("  a\tb\r\n c  ", "a b c", id="white-space"),
        pytest.param("a\u00a0b\u2028c\u3000d", "a b c d", id="unicode-spaces"),
        pytest.param("cafe\u0301", "caf\u00e9", id="composes"),
        pytest.param("\ufb01ne x\u00b2", "\ufb01ne x\u00b2", id="nfc-keeps-compatibility-forms"),
        pytest.param("a\x00b\x1b[31mc\x7f", "ab[31mc", id="control"),
        pytest.param("ab\u202ecd\u2066e\u200ff", "abcdef", id="bidi"),
        pytest.param("ze\u200bro\ufeff wi\u2060dth", "zero width", id="zero-width"),
        pytest.param("pre\u00adtraining", "pretraining", id="soft-hyphen"),
        pytest.param("x\U000e0041\U000e0042y", "xy", id="tag-characters"),
        pytest.param("lone\ud800 surrogate\udfff", "lone surrogate", id="surrogates"),
        pytest.param("fine \U0001f680\u2728", "fine \U0001f680\u2728", id="emoji-stay"),
        pytest.param("<|im_end|> [1] <b>", "<|im_end|> [1] <b>", id="markers-are-text"),
        pytest.param("\u200b \n", "", id="nothing-left"),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_normalise_cuts_before_and_after_expansion() -> None:
    assert len(normalise("\U0001d160" * 1000, limit=100)) == 100  # NFC expands it threefold
    assert normalise("word " * 100, limit=10) == "word word"


def test_normalise_bounds_runs_of_combining_marks() -> None:
    begun = time.perf_counter()
    marked = normalise("a" + "\u0301\u0316" * 50_000 + "b")
    assert time.perf_counter() - begun < 2
    assert len(marked) < 20
    assert marked.endswith("b")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_normalised_text_is_clean_and_stays(text: str) -> None:
    clean = normalise(text)
    assert normalise(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert not {unicodedata.category(character) for character in clean} & {"Cc", "Cf", "Cs"}
    assert clean.split(" ") == clean.split() or clean == ""


def test_clean_question_gives_the_question_normalised() -> None:
    assert clean_question("  What\nis \u200bit? ", 50) == "What is it?"


@pytest.mark.parametrize("blank", ["", "  \n\t", "\u200b\u202e", "\ud800"], ids=repr)
def test_a_blank_question_is_refused(blank: str) -> None:
    with pytest.raises(BadQuestion, match="empty"):
        clean_question(blank, 2000)


@pytest.mark.parametrize("length", [2001, 5_000_000])
def test_a_long_question_is_refused_with_both_lengths(length: int) -> None:
    with pytest.raises(BadQuestion, match=rf"{length:,} characters.* 2,000 "):
        clean_question("x" * length, 2000)


def test_a_question_may_have_the_longest_length() -> None:
    assert clean_question("x" * 2000, 2000) == "x" * 2000


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(["One is here now.", "Two is there."], id="plain"),
        pytest.param(["See Fig. 3.", "It works well."], id="fig"),
        pytest.param(["See Eq. 4 and Eqs. 5 to 7.", "All of them hold."], id="eq"),
        pytest.param(["As A. Author et al. (2020) show, it holds.", "So do we here."], id="et-al"),
        pytest.param(["The work of A. Writer et. al. (2020) is extended.", "So do we here."], id="et-al-misspelt"),
        pytest.param(
            ["Large sets (e.g. ImageNet) and small ones vs. Others differ.", "We agree with that."], id="eg-vs"
        ),
        pytest.param(["It is linear w.r.t. Depth and approx. Constant resp. Bounded."], id="wrt"),
        pytest.param(["We test images, text, etc.", "The results are good."], id="etc-ends"),
        pytest.param(["Gains of 4.08% and 13.75% with v0.3 of Llama 3.1.", "They last for long."], id="numbers"),
        pytest.param(["Code is at https://a.org/b.c?d=E.f! for all.", "Use it very well."], id="url"),
        pytest.param(
            ["Sizes are 7B, 13B, and 70B.", "Specifically, we test those.", "DINO-X wins it all."], id="ends-in-capital"
        ),
        pytest.param(["It answers in 5 ms.", "We measured it twice."], id="milliseconds"),
        pytest.param(["By Dr. Author and Ms. Writer of No. 5.", "Both of them agree."], id="titles"),
        pytest.param(["We find (i) the first, (ii) the second, and (iii) the third."], id="inline-list"),
        pytest.param(
            ["O1 shows skills: -Superior ability in reports.", "-100% accuracy in tasks of school level."],
            id="dashed-list",
        ),
        pytest.param(["The first holds for us.", "3). The second is limited."], id="marker-goes-on"),
        pytest.param(['They ask "how does it change?"', "We study that."], id="quoted-question"),
        pytest.param(["It keeps the accuracy.", "Our page is online now."], id="spaced"),
        pytest.param(["Is this so?", "Yes, it is so."], id="question"),
        pytest.param(["Who could ask how is that so? asks one of many."], id="lower-case-goes-on"),
        pytest.param(["Same words here.", "Same words here.", "Same words here."], id="repeated"),
        pytest.param(["One sentence that never ends"], id="no-end"),
        pytest.param(["Marks <|im_end|> and [1] are text.", "So is <b>this</b>."], id="markers"),
    ],
)
def test_sentences(expected: list[str]) -> None:
    assert split(" ".join(expected)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It keeps accuracy on tasks.Our page is online.", ["It keeps accuracy on tasks.", "Our page is online."]),
        ("A heading\n\nA sentence comes after it.", ["A heading", "A sentence comes after it."]),
        ("Hard wrapped\nlines of one\nsentence.", ["Hard wrapped\nlines of one\nsentence."]),
        ("", []),
        (" \n ", []),
        ("x", ["x"]),
    ],
    ids=["glued", "blank-line", "wrapped", "empty", "blank", "single"],
)
def test_sentences_of_rough_text(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "word " * 200_000, "A b c d. " * 60_000, ". " * 50_000, "1. " * 5_000, '"(' * 40_000],
    ids=["letters", "words", "sentences", "stops", "markers", "quotes"],
)
def test_sentences_of_a_flood_come_in_bounded_time_and_pieces(text: str) -> None:
    begun = time.perf_counter()
    spans = sentences(text)
    assert time.perf_counter() - begun < 15
    assert max(end - start for start, end in spans) <= MAX_SENTENCE


PIECES = st.sampled_from(
    [
        "We test.",
        "Fig.",
        "et al.",
        "(i)",
        "3).",
        "∯",
        "it's",
        '"',
        "''",
        "(",
        ")",
        "}",
        "A.",
        "?",
        "!",
        "\n",
        "\n\n",
        "v0.3.",
    ]
)


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=30).map(" ".join)))
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    spans = sentences(text)
    assert all(start < end for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    assert all(place in covered for place, character in enumerate(text) if not character.isspace())
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    assert sentences(text) == spans


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pre-training", ["pre", "train", "pretrain"]),
        ("pretraining", ["pretrain"]),
        ("GPT-4", ["gpt", "4", "gpt4"]),
        ("a 7B model", ["7b", "model"]),
        ("3.5 and 84% of 3,019", ["3.5", "84", "3019"]),
        ("Which of the papers?", ["paper"]),
        ("Fréchet naïve \ufb01ne", ["frechet", "naiv", "fine"]),
        ("models' model’s", ["model", "model"]),
        ("an-unreasonably-long-hyphenated-word", ["unreason", "long", "hyphen", "word"]),
        ("don't", []),
        ("x_y", ["x", "y"]),
        ("", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gains 4.08% and 13.75%.", ["gains", "4.08%", "and", "13.75%"]),
        ("Mistral-7B-v0.3 isn’t", ["mistral-7b-v0.3", "isn't"]),
        ("1,435 (not 12) x.y", ["1,435", "not", "12", "x", "y"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_terms_and_words_are_capped() -> None:
    assert len(terms("word " * 1_000_000)) <= 20_000
    assert len(words("word " * 1_000_000)) <= 20_000
    assert terms("\ufdfa" * 100_000)  # NFKD expands it eighteenfold


def test_stem() -> None:
    assert stem("hallucinations") == stem("hallucination")
    assert stem("x" * 100_000) == "x" * 100_000
