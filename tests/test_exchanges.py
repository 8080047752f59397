"""What stands in another's place: parts of a sentence exchanged, replacements turned round, names given other heads."""

from __future__ import annotations

import pytest

from rag.answering.exchanges import exchanged, swapped
from rag.answering.tokens import keys, tokens


def found(said: str, *source: str) -> str:
    held = [tokens(sentence) for sentence in source]
    return exchanged(tokens(said), held, frozenset(keys(token for sentence in held for token in sentence)))


EXCHANGED = {
    "two names": (
        "Studied are a decoder based on BERT and an encoder based on GPT-2.",
        "We study two architectures, a GPT-2 decoder and a BERT encoder.",
    ),
    "names in brackets": (
        "It is tested on PubMedQA for language modelling and on PG-19 for question answering.",
        "Evaluating language modelling (WikiText, PG-19) and question-answering tasks (PubMedQA) shows a gain.",
    ),
    "two roles": (
        "The decoder can be ablated and its encoder backbone used directly.",
        "We find that one can ablate the encoder and directly use its decoder backbone.",
    ),
    "two words in one part": (
        "Knowledge learned by the slow module is accumulated into the fast module through momentum.",
        "Knowledge learned by the fast module is accumulated into a slow module through momentum.",
    ),
    "two opposites": (
        "Mortality was high in men and anaemia was common in women.",
        "Mortality was high in women and anaemia was common in men.",
    ),
}

TURNED = {
    "replaces … with": (
        "B-PROP replaces BERT with a classical unigram model.",
        "The idea is to use BERT to replace the classical unigram model.",
    ),
    "is replaced by": ("Attention is replaced by convolution.", "We replace convolution with attention."),
    "in favour of": (
        "It gives up token detection in favour of masked modelling.",
        "It improves BERT by replacing masked modelling with token detection.",
    ),
    "substitutes … for": ("It substitutes butter for margarine.", "Butter was replaced by margarine."),
    "instead of": ("Patients took aspirin instead of heparin.", "Patients took heparin instead of aspirin."),
    "in place of": ("Patients took aspirin in place of heparin.", "Heparin was used in place of aspirin."),
}

FAITHFUL = {
    "a passive": ("Errors are reduced by pruning.", "Pruning reduces the errors on long texts."),
    "a passive kept": ("Errors are reduced by pruning.", "With care, errors are reduced by pruning."),
    "names in another order": (
        "Studied are an encoder based on BERT and a decoder based on GPT-2.",
        "We study two architectures, a GPT-2 decoder and a BERT encoder.",
    ),
    "a replacement said otherwise": (
        "Convolution is replaced by attention.",
        "We use attention to replace convolution.",
    ),
    "instead said otherwise": ("Aspirin was replaced with heparin.", "Patients took heparin instead of aspirin."),
    "a name's own head": ("It performs a tree search.", "It performs a Monte Carlo Tree Search."),
    "a word inside a name": ("It learns from public time series.", "Tiny Time Mixers learn from public TS data."),
    "passive": (
        "Ranks are assigned to modules by the tuner after two epochs of training.",
        "After two epochs of training the tuner assigns ranks to modules.",
    ),
    "half of a replacement": ("The old encoder is replaced.", "We replace the old encoder with a new one."),
    "no source": ("A teacher teaches and a student learns.", ""),
}


@pytest.mark.parametrize("name", EXCHANGED)
def test_two_things_in_each_others_place_are_told(name: str) -> None:
    assert "stands where the source has" in found(*EXCHANGED[name])


@pytest.mark.parametrize("name", TURNED)
def test_a_replacement_the_wrong_way_round_is_told(name: str) -> None:
    assert "wrong way round" in found(*TURNED[name])


def test_another_kind_of_a_named_thing_is_told() -> None:
    said, source = "It performs a beam search.", "It performs a Monte Carlo Tree Search."
    assert "'beam search'" in found(said, source)


@pytest.mark.parametrize("name", FAITHFUL)
def test_what_keeps_its_place_passes(name: str) -> None:
    assert found(*FAITHFUL[name]) == ""


@pytest.mark.parametrize("sentence", sorted({source for _, source in (EXCHANGED | TURNED | FAITHFUL).values()}))
def test_a_quotation_passes(sentence: str) -> None:
    assert found(sentence, sentence) == ""


PLACED = "Illumina arrays annotate protein sequences with the location of domains."


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        pytest.param("Arrays annotate nucleotide sequences.", ("nucleotide", "protein"), id="between the same words"),
        pytest.param("The Affymetrix arrays annotate domains.", ("Affymetrix", "Illumina"), id="a name, one side"),
        pytest.param("Arrays annotate sequences.", ("", ""), id="left out"),
        pytest.param("Arrays annotate simple sequences.", ("", ""), id="a general word"),
        pytest.param("Arrays annotated proteinous sequences.", ("", ""), id="another form of the word"),
    ],
)
def test_a_word_in_the_place_of_another_is_told(text: str, pair: tuple[str, str]) -> None:
    source = tokens("The " + PLACED)
    assert swapped(tokens(text), source, keys(source)) == pair


def test_what_the_paper_is_about_may_stand_anywhere() -> None:
    source = tokens("In July, Illumina outperforms others.")
    said = tokens("With Canopy, others are worse; in Canopy outperforms others.")
    assert swapped(said, source, keys(source)) != ("", "")
    assert swapped(said, source, keys(source), frozenset(keys(tokens("Canopy")))) == ("", "")


def test_what_is_done_to_a_thing_is_not_what_it_does() -> None:
    told = found("Pebble is reduced by errors.", "Our results show that this approach reduces errors.")
    assert told == "what 'errors' does is done to it in the source"


def test_what_does_not_affect_others_is_not_what_they_do_not_affect() -> None:
    told = found("Pebble is not affected by such errors.", "Pebble does not affect such errors as slips.")
    assert told == "what 'errors' does is done to it in the source"
