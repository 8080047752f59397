from __future__ import annotations

import pytest

from rag.answering.followup import LONGEST, Query, contextualise, leans
from rag.records import Paper, Scope, Turn

FIRST = Turn("Which models track glaciers?", ("iceflow", "snowline", "moraine"))
UNCITED = Turn("Who sells ice cream in Atlantis?")


@pytest.mark.parametrize(
    "question",
    [
        "What data does it use?",
        "How do they differ?",
        "Why?",
        "Why not?",
        "And on radar images?",
        "What about seasonal snow?",
        "How about the error of manual tracking?",
        "Does the second paper agree?",
        "Who wrote the last one?",
        "Does this work in winter?",
        "Are those results significant?",
        "Only in 2019",
        "Show me only papers from 2019",
        "Accuracy?",
        "Is GPT-4 better than it?",
        "How does GPT-4 compare to their method?",
        "How does it cope with rain, and is Iceflow better?",
        "How many GPU hours did training take for it?",
        "Do small models with few parameters benefit from this method?",
    ],
)
def test_a_question_that_points_back_leans(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        "How are glaciers tracked from orbit?",
        "Do calibrated language models have to hallucinate?",
        "Which datasets hold more than ten million images of whales?",
        "Does chain of thought prompting help small language models when they answer hard questions on Arctic whales?",
        "What is Iceflow, and what does it track?",
        "How does Iceflow get its radar images?",
        "How many glaciers are in Moraine, and where do they lie?",
        "How can outlines of melting glaciers be erased from maps without drawing them anew?",
        "What was the first method to track glaciers?",
        "Which is the first paper that tracks glaciers from orbit?",
    ],
)
def test_a_question_with_a_subject_of_its_own_does_not(question: str) -> None:
    assert not leans(question)


@pytest.mark.parametrize("question", ["What is InstructRetro?", "Who made GPT-4?"])
def test_a_name_is_a_subject_of_its_own(question: str) -> None:
    assert not leans(question)


def test_a_long_question_stands_alone_and_is_read_quickly() -> None:
    assert not leans("And Iceflow, " + "it, " * 300_000)


def test_without_history_nothing_is_carried() -> None:
    assert contextualise("What data does it use?", []) == Query("What data does it use?")


def test_a_question_of_its_own_carries_nothing() -> None:
    question = "How do bees find flowers in the rain?"
    assert contextualise(question, [FIRST]) == Query(question)


def test_a_leaning_question_carries_the_last_question_and_its_papers() -> None:
    query = contextualise("What data do they use?", [UNCITED, FIRST])
    assert query == Query("What data do they use? " + FIRST.question, carried=FIRST.cited, leans=True)


def test_a_follow_up_on_a_follow_up_reaches_back_to_the_subject() -> None:
    history = [
        Turn("Which optimiser does Sparrow use?", ("sparrow",)),
        Turn("How is rain predicted?", ("rain",)),
        Turn("Which data did they use?", ("rain",)),
    ]
    query = contextualise("And how much of it?", history)
    assert "How is rain predicted?" in query.text
    assert "Sparrow" not in query.text


def test_of_a_long_question_before_only_the_beginning_is_carried() -> None:
    pasted = Turn("Which models track glaciers? " + "ice " * 100_000)
    query = contextualise("And why is that?", [pasted])
    assert query.text == "And why is that? " + pasted.question[:LONGEST]


def test_papers_come_from_the_last_turn_that_cited_any() -> None:
    query = contextualise("And in winter?", [FIRST, UNCITED])
    assert query.carried == FIRST.cited
    assert UNCITED.question in query.text


def test_no_turn_cited_anything() -> None:
    assert contextualise("And the second paper?", [UNCITED]).carried == ()


@pytest.mark.parametrize(
    ("ordinal", "paper"),
    [
        ("the first paper", "iceflow"),
        ("the second one", "snowline"),
        ("the 3rd study", "moraine"),
        ("the last work", "moraine"),
    ],
)
def test_an_ordinal_names_one_paper(ordinal: str, paper: str) -> None:
    query = contextualise(f"What does {ordinal} say about radar?", [FIRST])
    assert query.carried == (paper,)
    assert query.scope == Scope()


@pytest.mark.parametrize(
    ("ordinal", "paper"),
    [
        pytest.param("firſt", "iceflow", id="long s"),
        pytest.param("fırst", "iceflow", id="dotless i"),
        pytest.param("THİRD", "moraine", id="dotted I"),
        pytest.param("LAſT", "moraine", id="long s among capitals"),
    ],
)
def test_an_ordinal_is_read_whatever_letters_stand_for_its_own(ordinal: str, paper: str) -> None:
    assert contextualise(f"What about the {ordinal} paper?", [FIRST]).carried == (paper,)


@pytest.mark.parametrize("question", ["And the first one?", "What does the first paper say?", "And the first?"])
def test_after_a_paper_was_picked_from_a_list_the_next_is_picked_from_the_same(question: str) -> None:
    history = [FIRST, Turn("What about the second paper?", ("snowline",)), Turn("And the third one?", ("moraine",))]
    assert contextualise(question, history).carried == ("iceflow",)


def test_a_paper_is_picked_from_the_list_of_the_last_subject() -> None:
    history = [FIRST, Turn("How do bees find flowers in the rain?", ("bees", "flowers"))]
    assert contextualise("And the second one?", history).carried == ("flowers",)


def test_what_is_compared_with_a_named_paper_is_carried_and_nothing_else_is_searched() -> None:
    history = [FIRST, Turn("Just the second paper", ("snowline",))]
    query = contextualise("How does it compare with the first one?", history)
    assert query.carried == ("iceflow", "snowline")
    assert query.scope == Scope(paper_ids=frozenset(query.carried))


def test_two_papers_that_are_named_are_compared() -> None:
    query = contextualise("How does the third paper differ from the first one?", [FIRST])
    assert query.carried == ("moraine", "iceflow")
    assert query.scope == Scope(paper_ids=frozenset(query.carried))


def test_a_named_paper_is_compared_with_the_whole_collection() -> None:
    assert contextualise("How does the first one compare with other models?", [FIRST]).scope == Scope()


def test_an_ordinal_beyond_the_list_carries_them_all() -> None:
    query = contextualise("What does the fourth paper say?", [FIRST])
    assert query.carried == FIRST.cited
    assert query.scope == Scope()


@pytest.mark.parametrize("question", ["Only the second paper", "And only in the second one?", "just the second"])
def test_only_an_ordinal_narrows_the_scope_to_it(question: str) -> None:
    query = contextualise(question, [FIRST], Scope(year_from=2000))
    assert query.scope == Scope(year_from=2000, paper_ids=frozenset({"snowline"}))


@pytest.mark.parametrize(
    ("question", "years"),
    [
        pytest.param("Only in 2023", (2023, 2023), id="one year"),
        pytest.param("only those from 2019 to 2021", (2019, 2021), id="a span"),
        pytest.param("Just papers from 2019-2021", (2019, 2021), id="a span with a hyphen"),
        pytest.param("Only between 2019 and 2021", (2019, 2021), id="a span by its ends"),
        pytest.param("Show me only papers from 2019", (2019, 2019), id="not at the beginning"),
        pytest.param("Only since 2019", (2019, None), id="since"),
        pytest.param("Only ſince 2019", (2019, None), id="since with a long s"),
        pytest.param("ONLY SİNCE 2019", (2019, None), id="since with a dotted I"),
        pytest.param("only those after 2019", (2020, None), id="after"),
        pytest.param("Just papers before 2019", (None, 2018), id="before"),
        pytest.param("only up to 2019", (None, 2019), id="up to"),
        pytest.param("only 2019 papers, please", (2019, 2019), id="a year's papers"),
        pytest.param("And in 2019?", (2019, 2019), id="another year"),
    ],
)
def test_only_a_year_narrows_the_scope_to_it(question: str, years: tuple[int, int]) -> None:
    scope = contextualise(question, [FIRST], Scope(hidden=frozenset({"x"}))).scope
    assert (scope.year_from, scope.year_to) == years
    assert scope.hidden == {"x"}, "what was set before stays"


def test_years_before_and_after_keep_the_other_end_of_the_scope() -> None:
    scope = contextualise("Only before 2019", [FIRST], Scope(year_from=2010, year_to=2024)).scope
    assert (scope.year_from, scope.year_to) == (2010, 2018)


@pytest.mark.parametrize(
    ("question", "years"),
    [
        pytest.param("And since 2015?", (2020, 2023), id="since before the first"),
        pytest.param("And since 2021?", (2021, 2023), id="since within"),
        pytest.param("Only up to 2030", (2020, 2023), id="up to beyond the last"),
        pytest.param("Only before 2022", (2020, 2021), id="before within"),
        pytest.param("Only from 2018 to 2021", (2020, 2021), id="a span that begins before the first"),
        pytest.param("Only from 2022 to 2030", (2022, 2023), id="a span that ends beyond the last"),
    ],
)
def test_years_in_a_follow_up_stay_within_those_that_were_set(question: str, years: tuple[int, int]) -> None:
    scope = contextualise(question, [FIRST], Scope(year_from=2020, year_to=2023)).scope
    assert (scope.year_from, scope.year_to) == years


@pytest.mark.parametrize("year", [2011, 2020])
def test_a_year_outside_those_that_were_set_leaves_no_paper(year: int) -> None:
    scope = contextualise(f"Only in {year}?", [FIRST], Scope(year_from=2015, year_to=2018)).scope
    assert not any(scope.holds(Paper(str(each), "Ice", "Ice.", year=each)) for each in range(2010, 2025))


@pytest.mark.parametrize(
    ("question", "left"),
    [
        pytest.param("Only the second paper", {"snowline"}, id="one of those set"),
        pytest.param("Only the third paper", set(), id="another paper"),
        pytest.param("How does the second paper differ from the third one?", {"snowline"}, id="compared with another"),
        pytest.param("Only since 2019", {"iceflow", "snowline"}, id="a year"),
    ],
)
def test_papers_named_in_a_follow_up_are_among_those_that_were_set(question: str, left: set[str]) -> None:
    assert contextualise(question, [FIRST], Scope(paper_ids=frozenset({"iceflow", "snowline"}))).scope.paper_ids == left


def test_what_a_conversation_was_narrowed_to_stays_within_what_was_set() -> None:
    allowed = Scope(year_to=2010, paper_ids=frozenset({"iceflow"}))
    after_paper = contextualise("What data does it use?", [FIRST, JUST_SECOND], allowed).scope
    assert after_paper == Scope(year_to=2010, paper_ids=frozenset())
    after_year = contextualise("What data does it use?", [FIRST, ONLY_2019], allowed).scope
    assert after_year == Scope(year_from=2019, year_to=2010, paper_ids=frozenset({"iceflow"}))


@pytest.mark.parametrize(
    "question", ["Can it learn from only 2000 images?", "Do only 2000 examples suffice?", "And 2000 of them?"]
)
def test_a_number_of_things_is_no_year(question: str) -> None:
    assert contextualise(question, [FIRST]).scope == Scope()


JUST_SECOND, ONLY_2019 = Turn("Just the second paper", ("snowline",)), Turn("Only in 2019", ("moraine",))


@pytest.mark.parametrize(
    ("narrowing", "narrowed"),
    [(JUST_SECOND, Scope(paper_ids=frozenset({"snowline"}))), (ONLY_2019, Scope(year_from=2019, year_to=2019))],
    ids=["paper", "year"],
)
def test_what_a_conversation_was_narrowed_to_holds_for_its_follow_ups(narrowing: Turn, narrowed: Scope) -> None:
    data = Turn("What data does it use?", narrowing.cited)
    assert contextualise(data.question, [FIRST, narrowing]).scope == narrowed
    assert contextualise("And how much of it?", [FIRST, narrowing, data]).scope == narrowed


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("How do bees find flowers in the rain?", id="another subject"),
        pytest.param("And what does the first one say?", id="another paper"),
        pytest.param("How does it compare with snow?", id="a comparison"),
        pytest.param("What do the others say about it?", id="the others"),
    ],
)
@pytest.mark.parametrize("narrowing", [JUST_SECOND, ONLY_2019], ids=["paper", "year"])
def test_it_ends_with(question: str, narrowing: Turn) -> None:
    assert contextualise(question, [FIRST, narrowing]).scope == Scope()


def test_it_ends_with_the_subject_before_a_follow_up_on_the_next() -> None:
    bees = Turn("How do bees find flowers in the rain?", ("bees",))
    assert contextualise("And in winter?", [FIRST, ONLY_2019, bees]).scope == Scope()


def test_a_later_narrowing_takes_the_place_of_an_earlier_one() -> None:
    scope = contextualise("Only since 2020", [FIRST, JUST_SECOND, ONLY_2019], Scope(year_to=2024)).scope
    assert scope == Scope(year_from=2020, year_to=2024)


def test_a_year_in_a_question_of_its_own_narrows_nothing() -> None:
    assert contextualise("Which glaciers shrank in 2019 and regrew later on?", [FIRST]).scope == Scope()


def test_the_same_conversation_gives_the_same_query() -> None:
    assert contextualise("Why?", [FIRST]) == contextualise("Why?", [FIRST])
