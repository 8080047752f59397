"""The search for the likeliest answer that is allowed, with an engine that is a table and guards that are scripted."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import product

import pytest

from rag.models.rows import Choice, Row
from rag.models.search import LONGEST_WORD, WIDTH, Search

END = "<end>"
Table = Mapping[str, Mapping[str, float]]
Told = list[tuple[int, str | None]]


class Pieces:
    """A tokenizer with a token for each piece of text, numbered as they are met; 0 ends an answer."""

    def __init__(self) -> None:
        self.known = [END]

    def token(self, piece: str) -> int:
        if piece not in self.known:
            self.known.append(piece)
        return self.known.index(piece)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.known[token] for token in ids)


class TableReading:
    """An engine that looks up what may follow a text, with its probability; what is not in the table ends.

    There is a table for each prompt. It refuses rows that do not go on from those that it was told to keep, records
    what it read in each step and what it kept, and stops midway in the step after `last`.
    """

    def __init__(self, *tables: Table, last: int | None = None) -> None:
        self.tables = tables
        self.last = last
        self.pieces = Pieces()
        self.cached = [prompt(number) for number in range(len(tables))]
        self.steps: list[list[str]] = []
        self.numbers: list[list[int]] = []
        self.kept: list[list[int]] = []

    def step(self, rows: Sequence[Row], wide: int, stopped: Callable[[], bool]) -> list[list[Choice]] | None:
        assert wide == WIDTH
        assert [row.tokens[:-1] if self.steps else row.tokens for row in rows] == self.cached
        if len(self.steps) == self.last:
            return None
        self.cached = [row.tokens for row in rows]
        self.steps.append([row.text for row in rows])
        self.numbers.append([row.number for row in rows])
        return [self._offered(self.tables[row.number].get(row.text, {END: 1.0}))[:wide] for row in rows]

    def keep(self, places: Sequence[int]) -> None:
        self.kept.append(list(places))
        self.cached = [self.cached[place] for place in places]

    def _offered(self, following: Mapping[str, float]) -> list[Choice]:
        likeliest_first = sorted(following, key=lambda piece: -following[piece])
        return [Choice(self.pieces.token(piece), math.log(following[piece])) for piece in likeliest_first]


class Strict:
    """A guard that refuses words, whole answers and what is not certain enough; remembers what it was asked."""

    def __init__(
        self, words: Collection[str] = (), answers: Collection[str] = (), certain: float = float("-inf")
    ) -> None:
        self.words = frozenset(words)
        self.answers = answers
        self.certain = certain
        self.begun: list[str] = []
        self.ended: list[tuple[str, float]] = []

    def begins(self, text: str) -> bool:
        self.begun.append(text)
        return self.words.isdisjoint(text.split())

    def ends(self, text: str, certainty: float) -> bool:
        self.ended.append((text, certainty))
        return self.words.isdisjoint(text.split()) and text not in self.answers and certainty >= self.certain


def prompt(number: int) -> tuple[int, ...]:
    """Tokens that tell the prompts apart, and from what is written."""
    return (-1 - number,)


def never() -> bool:
    return False


def search(
    reading: TableReading, *guards: Strict, room: int = 99, stopped: Callable[[], bool] = never
) -> list[tuple[int, str | None]]:
    """All that is told; a prompt without a guard of its own may say anything."""
    rows = [Row(number, prompt(number), room) for number in range(len(reading.tables))]
    all_guards = [*guards, *(Strict() for _ in rows[len(guards) :])]
    return list(Search(reading.pieces, frozenset({0}), all_guards).run(rows, reading, stopped))  # type: ignore[arg-type]


def line(*pieces: str) -> Table:
    """A table in which these follow each other for certain, and then the end."""
    return {"".join(pieces[:place]): {piece: 1.0} for place, piece in enumerate(pieces)}


COUNTS: Table = {"": {"Seven": 0.5, "Nine": 0.3, "Some": 0.2}}


@pytest.mark.parametrize(
    ("refused", "expected"),
    [((), "Seven"), (("Seven",), "Nine"), (("Seven", "Nine"), "Some")],
    ids=["nothing refused", "the likeliest refused", "two refused"],
)
def test_the_likeliest_answer_that_is_allowed_is_told(refused: Sequence[str], expected: str) -> None:
    assert search(TableReading(COUNTS), Strict(answers=refused)) == [(0, expected), (0, None)]


def test_where_no_answer_is_allowed_only_its_end_is_told() -> None:
    assert search(TableReading(COUNTS), Strict(answers=COUNTS[""])) == [(0, None)]


def test_an_answer_counts_as_a_whole_not_by_its_first_word() -> None:
    table = {"": {"Yes": 0.6, "No": 0.4}, "Yes": {" and": 0.2, END: 0.1}}
    assert search(TableReading(table)) == [(0, "No"), (0, None)]


def test_an_answer_is_not_the_likelier_for_saying_less() -> None:
    table = {"": {"Yes": 0.6, "No": 0.4}, "Yes": {" and": 0.5, END: 0.3}}
    assert search(TableReading(table)) == [(0, "Yes and"), (0, None)]


TREES: Table = {
    "": {"sev": 0.9, "nine": 0.1},
    "sev": {"en": 1.0},
    "seven": {" tr": 1.0},
    "nine": {" tr": 1.0},
    **{f"{count} tr": {"ees": 1.0} for count in ("seven", "nine")},
}


class TestABeginning:
    def test_is_dropped_as_soon_as_its_last_word_is_whole(self) -> None:
        reading = TableReading(TREES)
        assert search(reading, Strict(words={"seven"})) == [(0, "nine trees"), (0, None)]
        assert reading.steps[:3] == [[""], ["sev", "nine"], ["seven", "nine tr"]]
        assert not any(text.startswith("seven ") for texts in reading.steps for text in texts)

    def test_is_never_judged_in_the_middle_of_a_word(self) -> None:
        guard = Strict(words={"seven"})
        search(TableReading(TREES), guard)
        assert sorted(guard.begun) == ["nine", "seven"]
        assert [text for text, _ in guard.ended] == ["nine trees"]

    @pytest.mark.parametrize("space", [" ", "\n"], ids=["space", "line"])
    def test_has_a_whole_last_word_where_the_next_stands_apart(self, space: str) -> None:
        guard = Strict()
        search(TableReading(line("se", "ven", f"{space}trees")), guard)
        assert guard.begun == ["seven"]

    def test_is_judged_once_however_many_words_may_follow(self) -> None:
        guard = Strict()
        search(TableReading({"": {"seven": 1.0}, "seven": {" trees": 0.5, " cars": 0.3, " cats": 0.2}}), guard)
        assert guard.begun == ["seven"]

    def test_that_strays_may_still_become_another_word(self) -> None:
        table = {"": {"seven": 1.0}, "seven": {" trees": 0.8, "ty": 0.2}, "seventy": {" trees": 1.0}}
        assert search(TableReading(table), Strict(words={"seven"})) == [(0, "seventy trees"), (0, None)]

    def test_that_is_dropped_leaves_its_place_to_the_next_likeliest(self) -> None:
        bad = dict.fromkeys([" oaks", " elms", " limes", " firs"], 0.25)
        reading = TableReading({"": {"bad": 0.9, "good": 0.1}, "bad": bad, "good": {" oaks": 1.0}})
        assert search(reading, Strict(words={"bad"})) == [(0, "good oaks"), (0, None)]
        assert reading.steps[2] == ["good oaks"]

    def test_goes_on_where_its_end_is_refused(self) -> None:
        table = {"": {"seven": 1.0}, "seven": {END: 0.9, " trees": 0.1}}
        assert search(TableReading(table), Strict(answers={"seven"})) == [(0, "seven trees"), (0, None)]

    def test_that_is_an_endless_word_is_dropped(self) -> None:
        table = {"a" * length: {"a": 1.0} for length in range(1, 3 * LONGEST_WORD)}
        reading = TableReading({"": {"a": 0.9, "No": 0.1}, **table})
        assert search(reading, room=3 * LONGEST_WORD) == [(0, "No"), (0, None)]
        assert len(reading.steps) <= LONGEST_WORD + 1

    def test_of_words_may_be_longer_than_a_word_is(self) -> None:
        words = ["One", *[" a", "nd", " one"] * LONGEST_WORD]
        assert search(TableReading(line(*words)), room=len(words)) == [(0, "".join(words)), (0, None)]


def test_certainty_is_the_mean_log_probability_of_the_tokens_and_the_end() -> None:
    guard = Strict()
    search(TableReading({"": {"seven": 0.5}, "seven": {" trees": 0.25}, "seven trees": {END: 0.8}}), guard)
    assert guard.ended == [("seven trees", pytest.approx((math.log(0.5) + math.log(0.25) + math.log(0.8)) / 3))]


def test_an_answer_that_is_not_certain_enough_gives_way_to_a_longer_one_that_is() -> None:
    table = {
        "": {"Yes": 0.6, "It": 0.4},
        "Yes": {END: 0.7},
        **{"It" + " is" * count: {" is": 1.0} for count in range(4)},
    }
    guard = Strict(certain=math.log(0.8))
    assert search(TableReading(table), guard) == [(0, "It is is is is"), (0, None)]
    assert [text for text, _ in guard.ended] == ["Yes", "It is is is is"]


class TestSeveralPrompts:
    def test_have_each_their_own_guard(self) -> None:
        guards = Strict(answers={"Seven"}), Strict(), Strict(answers=COUNTS[""])
        told = search(TableReading(COUNTS, COUNTS, COUNTS), *guards)
        assert told == [(0, "Nine"), (0, None), (1, "Seven"), (1, None), (2, None)]

    def test_are_each_turned_aside_by_their_own_guard(self) -> None:
        told = search(TableReading(TREES, TREES), Strict(words={"seven"}), Strict(words={"nine"}))
        assert told == [(0, "nine trees"), (0, None), (1, "seven trees"), (1, None)]

    def test_are_each_told_when_they_are_over(self) -> None:
        reading = TableReading(line("It", " is", " so"), line("No"), line("It", " is"))
        rows = [Row(number, prompt(number), 99) for number in range(3)]
        run = Search(reading.pieces, frozenset({0}), [Strict()] * 3).run(rows, reading, never)  # type: ignore[arg-type]
        told_after = [(each, len(reading.steps)) for each in run]
        assert told_after == [
            ((1, "No"), 2),
            ((1, None), 2),
            ((2, "It is"), 3),
            ((2, None), 3),
            ((0, "It is so"), 4),
            ((0, None), 4),
        ]

    def test_that_are_over_are_not_read_on(self) -> None:
        reading = TableReading(line("It", " is", " so"), line("No"), line("It", " is"))
        search(reading)
        assert reading.numbers == [[0, 1, 2], [0, 1, 2], [0, 2], [0]]

    def test_say_together_what_each_says_alone(self) -> None:
        tables = TREES, COUNTS, line("No")
        alone = [search(TableReading(table), Strict(words={"seven"}))[0][1] for table in tables]
        together = search(TableReading(*tables), *(Strict(words={"seven"}) for _ in tables))
        assert {number: text for number, text in together if text is not None} == dict(enumerate(alone))


class TestWhatIsKept:
    """`TableReading` itself refuses rows that stand in another place than was kept."""

    def test_is_named_as_often_as_it_goes_on(self) -> None:
        reading = TableReading({"": {"a": 0.6, "b": 0.4}, "a": {"x": 0.5, "y": 0.5}, "b": {"z": 1.0}})
        search(reading)
        assert reading.steps == [[""], ["a", "b"], ["bz", "ax", "ay"]]
        assert reading.kept[:2] == [[0, 0], [1, 0, 0]]

    def test_is_counted_over_all_prompts(self) -> None:
        reading = TableReading(line("It", " is"), {"": {"a": 0.6, "b": 0.4}})
        search(reading)
        assert reading.kept[0] == [0, 1, 1]

    def test_is_not_named_where_nothing_moved(self) -> None:
        reading = TableReading(line("It", " is", " so"), line("It", " is", " not"))
        search(reading)
        assert [places for places in reading.kept if places] == []

    def test_forgets_a_prompt_that_is_over(self) -> None:
        reading = TableReading(line("No"), line("It", " is"))
        search(reading)
        assert reading.kept[0] == [1]


class TestStopping:
    @pytest.mark.parametrize("how", ["between two steps", "midway in a step"])
    def test_ends_quietly_and_what_is_unfinished_is_not_said_to_be_complete(self, how: str) -> None:
        reading = TableReading(line("It", " is", " so"), line("No"), last=2 if how == "midway in a step" else None)
        stopped = never if how == "midway in a step" else lambda: len(reading.steps) == 2
        assert search(reading, stopped=stopped) == [(1, "No"), (1, None)]
        assert len(reading.steps) == 2

    def test_before_the_start_reads_nothing(self) -> None:
        reading = TableReading(COUNTS)
        assert search(reading, stopped=lambda: True) == []
        assert reading.steps == []

    def test_tells_nothing_that_a_likelier_beginning_might_have_replaced(self) -> None:
        reading = TableReading({"": {"Yes": 0.7, "No": 0.3}, "Yes": {" sir": 1.0}})
        assert search(reading, stopped=lambda: len(reading.steps) == 2) == []


class TestHowFarItReads:
    @pytest.mark.parametrize(
        ("room", "expected"), [(2, [(0, None)]), (3, [(0, "It is so"), (0, None)])], ids=["too little", "just enough"]
    )
    def test_no_more_is_written_than_there_is_room_for(self, room: int, expected: Told) -> None:
        reading = TableReading(line("It", " is", " so"))
        assert search(reading, room=room) == expected
        assert len(reading.steps) == room + 1

    def test_what_does_not_fit_gives_way_to_what_does(self) -> None:
        reading = TableReading({"": {"It": 0.9, "No": 0.1}, "It": {" is": 1.0}, "It is": {" so": 1.0}})
        assert search(reading, room=2) == [(0, "No"), (0, None)]

    def test_of_each_prompt_no_more_than_the_likeliest_beginnings(self) -> None:
        letters = dict(zip("fedcba", (0.05, 0.1, 0.15, 0.2, 0.22, 0.28), strict=True))
        table = {"".join(text): letters for length in range(3) for text in product(letters, repeat=length)}
        reading = TableReading(table, table)
        search(reading)
        assert reading.steps[1] == ["a", "b", "c", "d"] * 2
        assert {numbers.count(number) for numbers in reading.numbers[1:] for number in set(numbers)} == {WIDTH}

    def test_not_on_where_no_beginning_can_end_more_certain_than_what_was_found(self) -> None:
        reading = TableReading({"": {"Yes": 0.7, "No": 0.3}, "Yes": {END: 0.9, " sir": 0.1}, "No": {" sir": 1.0}})
        assert search(reading) == [(0, "Yes"), (0, None)]
        assert reading.steps == [[""], ["Yes", "No"]]

    def test_on_where_a_beginning_can_end_more_certain_than_what_was_found(self) -> None:
        reading = TableReading({"": {"Yes": 0.7, "No": 0.3}, "Yes": {" sir": 1.0}})
        assert search(reading) == [(0, "Yes sir"), (0, None)]
        assert reading.steps == [[""], ["Yes", "No"], ["Yes sir"]]

    def test_no_prompts_are_no_work(self) -> None:
        assert search(TableReading()) == []


def test_the_same_is_found_twice_even_among_equally_likely_answers() -> None:
    table = {
        "": dict.fromkeys("abcdef", 1 / 6),
        **{letter: dict.fromkeys(["x", "y", END], 1 / 3) for letter in "abcdef"},
    }
    first, second = TableReading(table, table), TableReading(table, table)
    assert search(first, Strict(answers={"a"})) == search(second, Strict(answers={"a"}))
    assert (first.steps, first.kept) == (second.steps, second.kept)
