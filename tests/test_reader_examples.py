"""The examples the reader is taught on: read whole or refused, split by paper, thinned where they say nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reader_cases import example, write_examples

from eval.datasets import shipped
from eval.reader.examples import HELD_SHARE, Example, read_examples, split
from rag.answering.prompts import NOTHING, reading_prompt
from rag.errors import BadInput

FOLDER = shipped().parent
MANY = [example(number) for number in range(1000)]


def idle(number: int, paper: str) -> Example:
    return example(number, paper=paper, statement="")


def papers(examples: list[Example]) -> set[str]:
    return {each.paper for each in examples}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = write_examples(tmp_path / "examples.jsonl", example(1), example(2, statement=""))
    assert read_examples(path) == (example(1), example(2, statement=""))


def test_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = write_examples(tmp_path / "examples.jsonl", example(1))
    path.write_text(f"\n{path.read_text()}\n\n")
    assert len(read_examples(path)) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: not an example"),
        ("[]", "line 2: not an example"),
        ("3", "line 2: not an example"),
        ('{"id": "r1"}', "line 2: not an example.*paper"),
        (json.dumps(dict.fromkeys(Example.__dataclass_fields__, 7)), "line 2: id is not text"),
    ],
    ids=["cut short", "a list", "a number", "keys missing", "numbers for text"],
)
def test_a_line_that_is_no_example_is_told_with_its_number(tmp_path: Path, line: str, says: str) -> None:
    path = write_examples(tmp_path / "examples.jsonl", example(1))
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(BadInput, match=says):
        read_examples(path)


@pytest.mark.parametrize(("content", "says"), [(b"\n", "holds no example"), (b"\xff", "cannot be read")])
def test_a_file_without_examples_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=says):
        read_examples(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_examples(tmp_path / "nowhere.jsonl")


def test_the_prompt_is_the_one_that_the_assistant_gives() -> None:
    one = example(1, before="Ovens differ.")
    assert one.prompt == reading_prompt(one.question, one.title, one.before, one.sentence)


def test_the_model_is_to_say_the_statement_or_that_there_is_none() -> None:
    assert example(1).target == example(1).statement
    assert example(1, statement="").target == NOTHING


def test_the_examples_of_a_paper_stay_together() -> None:
    taught, held = split([*MANY, *(example(5000 + number, paper=str(number)) for number in range(1000))], 0.2)
    assert papers(taught).isdisjoint(papers(held))
    assert len(taught) + len(held) == 2 * len(MANY)


def test_about_as_many_papers_are_held_back_as_are_meant_to_be() -> None:
    _, held = split(MANY, 0.2)
    assert len(held) / len(MANY) == pytest.approx(HELD_SHARE, abs=0.03)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_of_those_without_a_statement_only_a_share_is_kept(share: float) -> None:
    taught, held = split([*MANY, *(idle(5000 + number, str(number)) for number in range(1000))], share)
    for part in (taught, held):
        assert sum(not each.statement for each in part) / len(part) == pytest.approx(share, abs=0.02)


def test_which_are_kept_does_not_hang_on_their_order() -> None:
    rows = [*MANY, *(idle(5000 + number, str(number)) for number in range(1000))]
    taught, _ = split(rows, 0.2)
    again, _ = split(rows[::-1], 0.2)
    assert taught == again[::-1]


def test_a_share_larger_than_there_are_keeps_all_of_them() -> None:
    taught, held = split([*MANY, idle(5000, "1")], 0.2)
    assert len(taught) + len(held) == len(MANY) + 1


def test_no_example_is_about_a_paper_that_a_question_set_asks_about() -> None:
    asked = {title.casefold() for path in FOLDER.glob("*.jsonl") for title in _gold(path)}
    assert asked
    assert not asked & {each.title.casefold() for each in read_examples()}


def _gold(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [title for line in lines for title in json.loads(line).get("gold_titles", [])]
