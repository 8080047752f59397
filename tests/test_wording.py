"""Picked sentences to what may be stated: worded where that holds up, quoted where it does not, never lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from answering_cases import Shelf
from conftest import ScriptedGenerator
from entailment_cases import ScriptedEntailment

from rag.answering.prompts import GENERATOR_FAILED, NOTHING, OUT_OF_TIME, reading_prompt, rewording_prompt
from rag.errors import ModelFailed
from rag.models import Generator, Guard, Limits, Message
from rag.records import Evidence, Paper
from rag.wording import NLI_FAILED, SURE, Wording, Writer

PEBBLE = Paper(
    "pebble",
    "Pebble: Small Encoders for Long Documents",
    "Long documents are expensive to encode. Our results show that this approach uses 40% less memory than Longwave. "
    "Pebble reads documents of 16,000 tokens. It does not need labelled data.",
)
QUARRY = Paper(
    "quarry", "Quarry: Mining Parallel Text", "We present Quarry. Our miner finds 12 million pairs in 30 languages."
)
SHELF = Shelf(PEBBLE, QUARRY)
QUESTION = "How much memory does Pebble use?"
FAITHFUL = "Pebble uses 40% less memory than Longwave."
LIE = "Pebble uses 70% less memory than Longwave."
DENIAL = "Pebble does not use 40% less memory than Longwave."
"""Only `grounding` tells that this is none of the sentence: nothing is left out or brought in but "not"."""


def picked(paper: Paper, position: int) -> Evidence:
    return Evidence(paper, SHELF.sentences(paper.paper_id)[position], 1.0)


MEMORY, TOKENS, LABELS = picked(PEBBLE, 1), picked(PEBBLE, 2), picked(PEBBLE, 3)
PAIRS = picked(QUARRY, 1)
ALL = (MEMORY, TOKENS, LABELS, PAIRS)


def writer(generator: Generator | None) -> Writer:
    return Writer(generator, SHELF, lambda term: 1.0, None)


def taught(*scripts: str | Exception) -> ScriptedGenerator:
    generator = ScriptedGenerator(*scripts)
    generator.taught = True
    return generator


def written(generator: Generator | None, *items: Evidence, limits: Limits | None = None) -> tuple[list[Wording], str]:
    """What is worded, and the note."""
    made = writer(generator)
    return list(made.write(QUESTION, items, limits or Limits())), made.note


Step = tuple[int, str | None] | Callable[[], None]


class BatchGenerator(Generator):
    """Words the first prompt alone and the others together, each time as it was told to.

    A step is a piece with the number of its prompt, or something to do meanwhile.
    """

    name = "batch (test)"
    fingerprint = "batch"
    taught = True

    def __init__(self, first: Sequence[Step], *others: Step) -> None:
        self.batches = [first, others]
        self.taken = 0
        self.ended = False

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        self.ended = False
        try:
            for step in self.batches.pop(0):
                self.taken += 1
                if callable(step):
                    step()
                else:
                    yield step
        finally:
            self.ended = True


FIRST: tuple[Step, ...] = ((0, FAITHFUL), (0, None))


# --- order ----------------------------------------------------------------------------------------------------------


def test_without_a_model_every_sentence_is_quoted_in_order() -> None:
    wordings, note = written(None, *ALL)
    assert wordings == [Wording(item, item.sentence.text) for item in ALL]
    assert note == ""


def test_without_evidence_nothing_is_asked_or_worded() -> None:
    generator = taught(FAITHFUL)
    assert written(generator) == ([], "")
    assert generator.prompts == []


def test_the_order_is_kept_whichever_is_complete_first() -> None:
    pairs = "Quarry finds 12 million pairs in 30 languages."
    generator = BatchGenerator(FIRST, (1, pairs), (1, None), (0, FAITHFUL), (0, None))
    wordings, note = written(generator, MEMORY, MEMORY, PAIRS)
    assert [wording.text for wording in wordings] == [FAITHFUL, FAITHFUL, pairs]
    assert [wording.item for wording in wordings] == [MEMORY, MEMORY, PAIRS]
    assert note == ""


def test_a_wording_is_given_as_soon_as_it_is_known() -> None:
    generator = BatchGenerator(FIRST, (0, "Quarry"), (0, None))
    stream = writer(generator).write(QUESTION, (MEMORY, PAIRS), Limits())
    assert next(stream).text == FAITHFUL
    assert generator.taken == 2


def test_pieces_of_several_answers_are_told_apart() -> None:
    pairs = "Quarry finds 12 million pairs in 30 languages."
    halves = [(0, FAITHFUL[:9]), (1, pairs[:9]), (0, FAITHFUL[9:]), (1, pairs[9:]), (0, None), (1, None)]
    wordings, _ = written(BatchGenerator(FIRST, *halves), MEMORY, MEMORY, PAIRS)
    assert [wording.text for wording in wordings] == [FAITHFUL, FAITHFUL, pairs]


# --- prompts --------------------------------------------------------------------------------------------------------


def test_a_taught_model_is_given_every_sentence_with_the_question_and_the_one_before() -> None:
    generator = taught(NOTHING)
    written(generator, MEMORY, TOKENS)
    first, second, third = (sentence.text for sentence in SHELF.sentences("pebble")[:3])
    assert generator.prompts == [
        reading_prompt(QUESTION, PEBBLE.title, first, second),
        reading_prompt(QUESTION, PEBBLE.title, second, third),
    ]


def test_the_first_sentence_of_a_paper_has_none_before() -> None:
    generator = taught(NOTHING)
    written(generator, picked(PEBBLE, 0))
    assert "Before:" not in generator.prompts[0][-1].content


def test_another_model_is_shown_what_is_wanted_and_given_only_what_leans() -> None:
    generator = ScriptedGenerator(FAITHFUL)
    wordings, _ = written(generator, MEMORY, TOKENS)
    assert generator.prompts == [rewording_prompt(PEBBLE, MEMORY.sentence.text)]
    assert [(wording.text, wording.quoted) for wording in wordings] == [
        (FAITHFUL, False),
        (TOKENS.sentence.text, True),
    ]


def test_where_nothing_leans_another_model_is_not_asked() -> None:
    generator = ScriptedGenerator(ModelFailed("never asked"))
    assert written(generator, TOKENS) == ([Wording(TOKENS, TOKENS.sentence.text)], "")
    assert generator.prompts == []


# --- judged ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [taught, ScriptedGenerator], ids=["taught", "untaught"])
def test_a_faithful_wording_is_stated(make: Callable[[str], Generator]) -> None:
    assert written(make(FAITHFUL), MEMORY) == ([Wording(MEMORY, FAITHFUL, quoted=False)], "")


@pytest.mark.parametrize("make", [taught, ScriptedGenerator], ids=["taught", "untaught"])
@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (LIE, "the number '40%'"),
        ("Pebble uses 40% more memory than Longwave.", "leaves out 'less'"),
        ("Boulder uses 40% less memory than Longwave.", "'Boulder'"),
        (DENIAL, "a negation that the source does not have"),
        ("Pebble uses 40% less memory than", "unfinished"),
        ("How much memory does Pebble use?", "a question"),
        ("Our Pebble uses 40% less memory than Longwave.", "does not name whose work"),
    ],
    ids=["a number", "the direction", "a name", "a negation", "unfinished", "a question", "we"],
)
def test_a_wording_that_does_not_hold_up_is_told_and_replaced_by_its_quotation(
    make: Callable[[str], Generator], draft: str, why: str
) -> None:
    [wording], note = written(make(draft), MEMORY)
    assert (wording.text, wording.quoted) == (MEMORY.sentence.text, True)
    assert wording.rejected is not None
    assert wording.rejected.text == draft
    assert why in wording.rejected.reason
    assert note == ""


@pytest.mark.parametrize(
    ("generator", "why"), [(taught, "leaves out the number"), (ScriptedGenerator, "drops the number")]
)
def test_no_model_may_leave_out_a_number(generator: Callable[[str], Generator], why: str) -> None:
    [withheld], _ = written(generator("Quarry finds 12 million pairs."), PAIRS)
    assert withheld.rejected is not None
    assert why in withheld.rejected.reason


def worded_alone(generator: Generator, text: str) -> Wording:
    """What becomes of the only sentence of an abstract."""
    paper = Paper("alone", "Pebble: Small Encoders", text)
    shelf = Shelf(paper)
    item = Evidence(paper, shelf.sentences("alone")[0], 1.0)
    [wording] = Writer(generator, shelf, lambda term: 1.0, None).write(QUESTION, [item], Limits())
    return wording


@pytest.mark.parametrize("make", [taught, ScriptedGenerator], ids=["taught", "untaught"])
@pytest.mark.parametrize(
    ("text", "exchanged"),
    [
        pytest.param(
            "Our locks lose 81% of the water, while weirs lose 84% of the water.",
            "Locks lose 84% of the water, while weirs lose 81% of the water.",
            id="two numbers",
        ),
        pytest.param(
            "Our encoder is trained by distillation, while for the decoder we employ a simple strategy of random "
            "sampling.",
            "The decoder employs a simple strategy of distillation, while the encoder is trained by random sampling.",
            id="two methods",
        ),
    ],
)
def test_no_model_may_exchange_what_two_are_said_to_do(
    make: Callable[[str], Generator], text: str, exchanged: str
) -> None:
    wording = worded_alone(make(exchanged), text)
    assert (wording.text, wording.quoted) == (text, True)


@pytest.mark.parametrize(
    ("text", "draft", "why"),
    [
        pytest.param(
            "We present a pump and the map of a dike, a model of its clay, and the list of its owners.",
            "The map of a dike is a model of its clay.",
            "puts in 'is model'",
            id="related anew",
        ),
        pytest.param(
            "We present a new pump for small towns, called PEG.",
            "A new pump for small towns is presented.",
            "leaves out the name 'PEG'",
            id="without its name",
        ),
        pytest.param(
            "We find that pumps of cast iron are faster in small towns than mills.",
            "Pumps of cast iron are faster in small towns.",
            "leaves out what 'faster' compares with",
            id="compared with nothing",
        ),
    ],
)
def test_a_taught_model_keeps_names_and_how_things_relate(text: str, draft: str, why: str) -> None:
    wording = worded_alone(taught(draft), text)
    assert (wording.text, wording.quoted) == (text, True)
    assert wording.rejected is not None
    assert wording.rejected.reason == why


@pytest.mark.parametrize("make", [taught, ScriptedGenerator], ids=["taught", "untaught"])
def test_a_question_of_the_abstract_is_quoted_and_no_model_asked(
    make: Callable[[str], ScriptedGenerator],
) -> None:
    generator, asked = make("Pebble saves memory."), "Can our approach save memory?"
    assert worded_alone(generator, asked).text == asked
    assert generator.prompts == []


def test_what_other_sentences_say_is_not_stated_of_this_one() -> None:
    before = "Pebble reads documents of 16,000 tokens and does not need labelled data."
    for item in (LABELS, TOKENS):
        [wording], _ = written(taught(before), item)
        assert wording.rejected is not None
        assert "brings in" in wording.rejected.reason or "stands apart" in wording.rejected.reason


def test_a_draft_given_back_word_by_word_is_a_quotation() -> None:
    part = "this approach uses 40% less memory than Longwave."
    for draft, item in ((TOKENS.sentence.text, TOKENS), (part.replace("this approach ", "Pebble "), MEMORY)):
        [wording], _ = written(taught(draft), item)
        assert wording.quoted is (draft in item.sentence.text)


@pytest.mark.parametrize("mark", [NOTHING, "none", " NONE.\n"])
def test_the_mark_of_a_sentence_that_tells_nothing_makes_a_quotation(mark: str) -> None:
    assert written(taught(mark), MEMORY) == ([Wording(MEMORY, MEMORY.sentence.text)], "")


@pytest.mark.parametrize("draft", ["", "   \n\n "], ids=["empty", "blank"])
def test_a_model_that_says_nothing_is_quoted_past(draft: str) -> None:
    assert written(taught(draft), MEMORY) == ([Wording(MEMORY, MEMORY.sentence.text)], "")


def test_only_the_first_sentence_of_a_draft_counts() -> None:
    [wording], _ = written(taught(f"{FAITHFUL} {LIE}"), MEMORY)
    assert (wording.text, wording.rejected) == (FAITHFUL, None)


# --- kept to the sentence while it is written -----------------------------------------------------------------------


class GuardedGenerator(Generator):
    """Would say these drafts, the likeliest first, and says the first that its guard allows."""

    name = "guarded (test)"
    fingerprint = "guarded"
    taught = True

    def __init__(self, *drafts: str, certainty: float = -0.1) -> None:
        self.drafts = drafts
        self.certainty = certainty

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        assert len(limits.guards) == len(prompts)
        for number, guard in enumerate(limits.guards):
            draft = next((each for each in self.drafts if self._allowed(guard, each)), "")
            if draft:
                yield number, draft
            yield number, None

    def _allowed(self, guard: Guard, draft: str) -> bool:
        words = draft.split()
        begun = all(guard.begins(" ".join(words[:count])) for count in range(1, len(words)))
        return begun and guard.ends(draft, self.certainty)


@pytest.mark.parametrize(
    "likelier",
    [
        LIE,
        NOTHING,
        "Our Pebble uses 40% less memory than Longwave.",
        "Pebble uses memory than 40% less Longwave.",
        "Pebble uses 40% less memory than Longwave and Boulder.",
        "Pebble uses 40% less memory than",
        "This approach uses 40% less memory than Longwave.",
        "Pebble Encoders for Long Documents is what it is that uses 40% less memory than Longwave.",
    ],
    ids=["a lie", "the mark", "we", "other order", "brought in", "unfinished", "this approach", "longer"],
)
def test_what_may_not_be_stated_gives_way_to_what_is_next_likely(likelier: str) -> None:
    assert written(GuardedGenerator(likelier, FAITHFUL), MEMORY) == ([Wording(MEMORY, FAITHFUL, quoted=False)], "")


def test_a_beginning_that_tells_one_thing_to_be_another_is_dropped() -> None:
    asked: list[Guard] = []

    class Watched(GuardedGenerator):
        def _allowed(self, guard: Guard, draft: str) -> bool:
            asked.append(guard)
            return super()._allowed(guard, draft)

    written(Watched("Quarry"), PAIRS)
    [guard] = asked
    assert guard.begins("Quarry finds 12 million pairs")
    assert not guard.begins("Quarry is pairs")


def test_where_nothing_likely_may_be_stated_the_sentence_is_quoted_and_nothing_was_withheld() -> None:
    assert written(GuardedGenerator(LIE, NOTHING), MEMORY) == ([Wording(MEMORY, MEMORY.sentence.text)], "")


def test_what_the_model_is_not_sure_of_is_not_taken_up() -> None:
    [wording], _ = written(GuardedGenerator(FAITHFUL, certainty=SURE - 0.01), MEMORY)
    assert wording == Wording(MEMORY, MEMORY.sentence.text)


def test_each_sentence_is_guarded_by_its_own_rules() -> None:
    pairs = "Quarry finds 12 million pairs in 30 languages."
    wordings, _ = written(GuardedGenerator(pairs, FAITHFUL), MEMORY, PAIRS, MEMORY)
    assert [wording.text for wording in wordings] == [FAITHFUL, pairs, FAITHFUL]


def test_without_checks_everything_that_has_the_form_of_a_statement_is_allowed() -> None:
    made = Writer(GuardedGenerator(NOTHING, LIE, certainty=-5.0), SHELF, lambda term: 1.0, None, checks=False)
    assert [wording.text for wording in made.write(QUESTION, [MEMORY], Limits())] == [LIE]


# --- judged by a model too ------------------------------------------------------------------------------------------


def vouched(
    draft: str, item: Evidence, outcome: float | Exception, *, checks: bool = True
) -> tuple[Wording, str, ScriptedEntailment]:
    """What becomes of a taught model's draft where an NLI model is asked, the note, and that model."""
    model = ScriptedEntailment(outcome)
    made = Writer(taught(draft), SHELF, lambda term: 1.0, None, model, checks)
    [wording] = made.write(QUESTION, [item], Limits())
    return wording, made.note, model


@pytest.mark.parametrize("probability", [0.5, 0.51, 1.0])
def test_what_the_rules_pass_and_the_source_entails_is_stated(probability: float) -> None:
    wording, note, _ = vouched(FAITHFUL, MEMORY, probability)
    assert (wording, note) == (Wording(MEMORY, FAITHFUL, quoted=False), "")


@pytest.mark.parametrize("probability", [0.0, 0.49, float("nan")])
def test_what_the_source_does_not_entail_is_told_and_replaced_by_its_quotation(probability: float) -> None:
    wording, note, _ = vouched(FAITHFUL, MEMORY, probability)
    assert (wording.text, wording.quoted) == (MEMORY.sentence.text, True)
    assert wording.rejected is not None
    assert wording.rejected.text == FAITHFUL
    assert wording.rejected.reason == f"the source does not entail it ({probability:.2f} by the NLI model)"
    assert note == ""


def test_the_source_is_the_title_the_sentence_and_the_one_before() -> None:
    first, second = (sentence.text for sentence in SHELF.sentences("pebble")[:2])
    _, _, model = vouched(FAITHFUL, MEMORY, 1.0)
    assert model.asked == [(f"{PEBBLE.title}. {first} {second}", FAITHFUL)]


@pytest.mark.parametrize("draft", [LIE, NOTHING, "Pebble uses 40% less memory than"], ids=["a lie", "the mark", "half"])
def test_what_the_rules_stop_is_not_asked(draft: str) -> None:
    wording, _, model = vouched(draft, MEMORY, 1.0)
    assert wording.quoted
    assert model.asked == []


def test_without_checks_it_is_not_asked_either() -> None:
    wording, _, model = vouched(LIE, MEMORY, 0.0, checks=False)
    assert (wording.text, model.asked) == (LIE, [])


def test_what_an_nli_model_that_fails_could_not_check_is_quoted_with_a_note() -> None:
    wording, note, _ = vouched(FAITHFUL, MEMORY, ModelFailed("x failed: out of memory"))
    assert (wording.text, wording.quoted) == (MEMORY.sentence.text, True)
    assert wording.rejected is not None
    assert wording.rejected.reason == "the NLI model could not check it: x failed: out of memory"
    assert note == NLI_FAILED.format(why="x failed: out of memory")


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_what_a_model_worded_before_it_failed_is_kept_and_the_rest_quoted_with_a_note() -> None:
    wordings, note = written(taught(FAITHFUL, ModelFailed("out of memory")), MEMORY, TOKENS, PAIRS)
    assert wordings == [
        Wording(MEMORY, FAITHFUL, quoted=False),
        Wording(TOKENS, TOKENS.sentence.text),
        Wording(PAIRS, PAIRS.sentence.text),
    ]
    assert note == GENERATOR_FAILED.format(why="out of memory")


def test_a_draft_that_the_model_failed_in_is_not_stated() -> None:
    def fail() -> None:
        raise ModelFailed("out of memory")

    wordings, note = written(BatchGenerator([(0, FAITHFUL), fail]), MEMORY)
    assert wordings == [Wording(MEMORY, MEMORY.sentence.text)]
    assert "out of memory" in note


def test_what_the_time_limit_cuts_off_is_quoted_with_a_note() -> None:
    generator = BatchGenerator(FIRST, (0, "Quarry finds"), lambda: time.sleep(0.3))
    wordings, note = written(generator, MEMORY, PAIRS, limits=Limits(seconds=0.2))
    assert wordings == [Wording(MEMORY, FAITHFUL, quoted=False), Wording(PAIRS, PAIRS.sentence.text)]
    assert note == OUT_OF_TIME


def test_no_time_at_all_quotes_everything_with_a_note() -> None:
    wordings, note = written(taught(FAITHFUL), *ALL, limits=Limits(seconds=0.0))
    assert wordings == [Wording(item, item.sentence.text) for item in ALL]
    assert note == OUT_OF_TIME


def test_time_that_the_reader_takes_is_not_held_against_what_is_complete() -> None:
    made = writer(BatchGenerator(FIRST, (1, FAITHFUL), (1, None), (0, FAITHFUL), (0, None)))
    for wording in made.write(QUESTION, (MEMORY, MEMORY, MEMORY), Limits(seconds=0.25)):
        assert wording.text == FAITHFUL
        time.sleep(0.15)
    assert made.note == ""


def test_a_cancelled_answer_has_no_note_and_nothing_worded() -> None:
    limits = Limits(seconds=0.0)
    limits.cancelled.set()
    wordings, note = written(taught(FAITHFUL), MEMORY, PAIRS, limits=limits)
    assert [wording.quoted for wording in wordings] == [True, True]
    assert note == ""


def test_closing_early_ends_the_computation() -> None:
    generator = BatchGenerator(FIRST, (0, "Quarry"), (0, None))
    stream = writer(generator).write(QUESTION, (MEMORY, PAIRS), Limits())
    next(stream)
    assert not generator.ended
    stream.close()  # type: ignore[attr-defined]
    assert generator.ended
    assert generator.taken == 2


def test_a_generator_that_decodes_one_by_one_is_closed_too() -> None:
    generator = taught(FAITHFUL)
    stream = writer(generator).write(QUESTION, ALL, Limits())
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert generator.ended == len(generator.prompts) == 1
