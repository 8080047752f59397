"""Examples that are not what they say are told, one line each; those that ship are."""

from __future__ import annotations

from pathlib import Path

import pytest
from reader_cases import example, write_examples

from eval.reader.__main__ import main
from eval.reader.check import LONGEST, SHORTEST, counts, problems
from rag.answering.condensing import COPIED


def test_a_sound_example_has_no_problem() -> None:
    assert problems([example(1), example(2)]) == []


def test_an_example_without_a_statement_has_none_either() -> None:
    assert problems([example(1, statement=""), example(2, statement="")]) == []


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("Rye keeps gas.", f"3 words, {SHORTEST} to {LONGEST} are allowed"),
        ("Rye holds its gas " + "and " * LONGEST + "rises.", f"{LONGEST + 5} words"),
        ("Rye from field 1 holds on to gas for 12 hours in warm ovens", "does not end with a full stop"),
        ("Our rye from field 1 holds on to gas for 12 hours.", "says 'Our'"),
        ("This study shows that rye holds on to gas for 12 hours.", "says 'This study'"),
        ("Rye from field 1 holds on to gas for 14 hours in warm ovens.", "the number 14 is not in its source"),
        ("Rye from field 1 holds on to gas for 1.2 hours in warm ovens.", "the number 1.2 is not in its source"),
        ("Rye from NASA field 1 holds on to gas for 12 hours.", "the name 'NASA' is not in its source"),
        ("In warm ovens rye holds on to gas for 12 hours.", "joins 'ovens' and 'rye'"),
        ("Rye from field 1 keeps its gas for 12 hours in a warm oven.", "copies 14 words in a row"),
    ],
    ids=["short", "long", "no full stop", "our", "this study", "a number", "a decimal", "a name", "joined", "copied"],
)
def test_what_is_wrong_with_a_statement_is_told(statement: str, says: str) -> None:
    [problem] = problems([example(1, statement=statement)])
    assert problem.startswith("r0001: ")
    assert says in problem


@pytest.mark.parametrize("place", ["title", "before", "sentence"])
def test_names_and_numbers_may_come_from_anywhere_that_the_model_sees(place: str) -> None:
    given = {place: "GlutenNet rose 17 times in a warm oven."}
    assert problems([example(1, statement="GlutenNet rises up to 17 times in any warm oven.", **given)]) == []


@pytest.mark.parametrize(
    "name", ["GlutenNets", "GLUTENNET", "GlutenNet-RYE"], ids=["a plural", "other case", "joined from two"]
)
def test_a_name_may_be_written_otherwise(name: str) -> None:
    sentence = "GlutenNet keeps rye in a warm oven."
    assert problems([example(1, sentence=sentence, statement=f"{name} keeps the rye in a rather warm oven.")]) == []


def test_examples_that_stand_twice_are_told() -> None:
    found = problems([example(1), example(1)])
    assert len(found) == 3
    assert "r0001: stands 2 times" in found
    assert any(line.startswith("the same question and sentence 2 times") for line in found)
    assert any(line.startswith("the same statement 2 times") for line in found)


def test_one_word_fewer_than_a_quotation_may_be_copied() -> None:
    words = [f"w{letter}" for letter in "abcdefghijkl"]
    for run, problem in ((COPIED - 1, False), (COPIED, True)):
        made = example(1, sentence=" ".join(words), statement=" ".join(words[:run]) + ".")
        assert any("copies" in line for line in problems([made])) is problem


def test_the_counts_add_up() -> None:
    told = counts([example(1), example(2, kind="named"), example(3, paper="1", statement="")])
    assert (told["finding"], told["named"], told["in all"]) == (2, 1, 3)
    assert (told["without a statement"], told["papers"]) == (1, 2)


def test_the_shipped_examples_are_sound(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check"])
    assert code == 0, capsys.readouterr().out
    assert "in all" in capsys.readouterr().out


def test_the_check_fails_where_one_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_examples(tmp_path / "examples.jsonl", example(1, statement="Rye keeps gas."))
    assert main(["check", "--data", str(path)]) == 1
    assert "r0001: 3 words" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--data", str(tmp_path / "nowhere.jsonl")]) == 1
    assert capsys.readouterr().err.startswith("reader: ")
