"""A rewording of one sentence must follow it: nothing added, nothing joined, no condition dropped."""

from __future__ import annotations

import pytest

from rag.answering.rewording import departure

SUBJECT = "Pebble"
SOURCE = "Our results show that this approach uses 40% less memory than Longwave on long documents."
SPLIT = "The encoder is trained by distillation, while for the decoder we employ a simple strategy of random sampling."
CONDITION = "When documents are longer than 4,000 tokens, we find that Pebble is twice as fast as Longwave."
EXCEPT = "Pebble is as accurate as Longwave on all seven benchmarks but fails on handwritten letters."


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("Pebble uses 40% less memory than Longwave on long documents.", SOURCE, id="names the subject"),
        pytest.param("Pebble uses 40% less memory than Longwave.", SOURCE, id="stops early"),
        pytest.param("Pebble's approach uses 40% less memory than Longwave.", SOURCE, id="keeps a scaffolding word"),
        pytest.param(EXCEPT, EXCEPT, id="word for word"),
    ],
)
def test_a_rewording_that_follows_its_sentence_passes(text: str, source: str) -> None:
    assert departure(text, source, SUBJECT) == ""


@pytest.mark.parametrize(
    ("text", "source", "why"),
    [
        pytest.param(
            "Pebble uses 40% less memory than Longwave on cheap hardware.", SOURCE, "adds", id="something new"
        ),
        pytest.param("The encoder employs random sampling.", SPLIT, "leaves out", id="joins two clauses"),
        pytest.param("The decoder is trained by distillation.", SPLIT, "leaves out|adds", id="crosses two clauses"),
        pytest.param("Pebble is twice as fast as Longwave.", CONDITION, "leaves out", id="drops the condition"),
        pytest.param("Pebble is as accurate as Longwave on all seven benchmarks.", EXCEPT, "stops before", id="but"),
        pytest.param(
            "Pebble reads three languages.",
            "Pebble reads three languages only if they are clean, as in most languages.",
            "stops before 'only'",
            id="before a word that stands there again",
        ),
        pytest.param("Pebble uses memory 40% less than Longwave.", SOURCE, "leaves out|adds", id="another order"),
        pytest.param("Boulder uses 40% less memory than Longwave.", SOURCE, "adds 'Boulder'", id="another subject"),
        pytest.param("Nothing of the kind.", SOURCE, "does not follow|adds", id="nothing in common"),
        pytest.param("", SOURCE, "does not follow", id="empty"),
    ],
)
def test_a_rewording_that_departs_from_its_sentence_is_told_where(text: str, source: str, why: str) -> None:
    reason = departure(text, source, SUBJECT)
    assert any(part in reason for part in why.split("|")), reason
    assert reason


def test_what_the_sentence_before_names_may_open_the_rewording() -> None:
    before = "We study the Longwave tokenizer."
    source = "It is trained on 30 languages."
    assert departure("The Longwave tokenizer is trained on 30 languages.", source, SUBJECT, before) == ""
    assert departure("The Longwave tokenizer is trained on 30 languages.", source, SUBJECT) != ""


def test_what_can_be_done_has_not_been_done() -> None:
    source = "Pebble reaches a quality that is comparable to full training."
    assert departure("Pebble reaches a quality compared to full training.", source, SUBJECT) != ""
