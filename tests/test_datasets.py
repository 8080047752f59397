from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.datasets import Question, read_beir, read_questions, shipped
from rag.errors import BadInput
from rag.records import Paper, Turn


def questions_file(folder: Path, *lines: object) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(BadInput) as caught:
        read_questions(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


# --- question files -------------------------------------------------------------------------------


def test_reads_every_field(tmp_path: Path) -> None:
    path = questions_file(
        tmp_path,
        {
            "id": "q1",
            "question": "Which  data?",
            "history": ["What is X?", {"question": "And Y?", "cited": ["p1"]}],
            "gold_titles": ["A Title"],
            "facts": [["84%", "84 percent"]],
            "type": "followup",
            "split": "dev",
            "reference": "OSCAR.",
        },
    )
    assert read_questions(path) == (
        Question(
            id="q1",
            question="Which data?",
            history=("What is X?", Turn("And Y?", ("p1",))),
            gold_titles=("A Title",),
            facts=(("84%", "84 percent"),),
            type="followup",
            split="dev",
            reference="OSCAR.",
        ),
    )


def test_only_id_and_question_are_required(tmp_path: Path) -> None:
    (question,) = read_questions(questions_file(tmp_path, {"id": 7, "question": "Why?", "notes": "mine"}))
    assert (question.id, question.question, question.history, question.facts) == ("7", "Why?", (), ())


@pytest.mark.parametrize(
    ("labels", "answerable"),
    [({"gold_titles": ["T"]}, True), ({"gold_titles": []}, False), ({}, None), ({"facts": [["x"]]}, True)],
    ids=["gold", "no gold paper", "not labelled", "facts alone"],
)
def test_an_unlabelled_question_is_not_an_unanswerable_one(
    tmp_path: Path, labels: dict[str, object], answerable: bool | None
) -> None:
    (question,) = read_questions(questions_file(tmp_path, {"id": "q", "question": "Why?", **labels}))
    assert question.answerable is answerable


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{truncated", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ("[1, 2]", "a list, expected a JSON object"),
        ({"question": "Why?"}, "no 'id'"),
        ({"id": True, "question": "Why?"}, "'id' is a bool"),
        ({"id": "q"}, "no 'question'"),
        ({"id": "q", "question": " \u200b "}, "no 'question'"),
        ({"id": "q", "question": ["Why?"]}, "'question' is a list"),
        ({"id": "q", "question": "Why?", "gold_title": ["T"]}, "did you mean 'gold_titles'"),
        ({"id": "q", "question": "Why?", "gold_titles": "T"}, "'gold_titles' is a str, expected a list"),
        ({"id": "q", "question": "Why?", "gold_titles": [""]}, "'gold_titles' must hold non-empty texts"),
        ({"id": "q", "question": "Why?", "gold_titles": ["T"] * 1001}, "1,001 entries"),
        ({"id": "q", "question": "Why?", "gold_titles": ["T"], "facts": ["84%"]}, "a fact is a list"),
        ({"id": "q", "question": "Why?", "gold_titles": ["T"], "facts": [[]]}, "a fact is a list"),
        ({"id": "q", "question": "Why?", "gold_titles": [], "facts": [["x"]]}, "facts without gold_titles"),
        ({"id": "q", "question": "Why?", "history": [3]}, "'history' must hold earlier questions"),
        ({"id": "q", "question": "Why?", "history": [{"cited": []}]}, "no 'question'"),
        ({"id": "first", "question": "Why?"}, "duplicate id 'first'"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "line",
)
def test_a_bad_line_is_named_by_file_and_line(tmp_path: Path, line: object, said: str) -> None:
    path = questions_file(tmp_path, {"id": "first", "question": "How?"}, "", line)
    message = refusal(path)
    assert message.startswith(f"{path}:3: ")
    assert said in message
    assert "\n" not in message


def test_an_unknown_gold_title_is_named_with_its_nearest(tmp_path: Path) -> None:
    path = questions_file(tmp_path, {"id": "q", "question": "Why?", "gold_titles": ["A Titel"]})
    assert refusal(path, titles={"A Title", "Other"}) == (
        f"{path}:1: unknown gold title 'A Titel': did you mean 'A Title'?"
    )
    assert "no such paper" in refusal(path, titles=set())
    assert read_questions(path)[0].gold_titles == ("A Titel",)  # without titles nothing can be checked


def test_a_file_that_holds_no_questions_is_refused(tmp_path: Path) -> None:
    assert "no questions" in refusal(questions_file(tmp_path))
    assert "cannot be read" in refusal(tmp_path / "missing.jsonl")
    assert "cannot be read" in refusal(tmp_path)


def test_bytes_that_are_not_text_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_bytes(b'{"id": "a", "question": "Why?"}\n{"id": "b", "question": "\xff\xfe"}\n')
    assert refusal(path) == f"{path}:2: not UTF-8 text"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "question": "Why?"}\r\n')
    assert read_questions(path)[0].question == "Why?"


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4)


@settings(max_examples=100, deadline=None)
@given(record=st.dictionaries(st.sampled_from(["id", "question", "history", "gold_titles", "facts"]), JSON))
def test_any_record_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, record: dict[str, object]) -> None:
    path = questions_file(tmp_path_factory.mktemp("any"), record)
    with suppress(BadInput):
        (question,) = read_questions(path)
        assert question.id
        assert question.question


def test_the_shipped_set_is_readable_and_whole() -> None:
    questions = read_questions(shipped())
    assert len(questions) == 240
    assert {question.split for question in questions} == {"dev", "test"}
    assert sum(question.answerable is False for question in questions) == 60


# --- BEIR folders ---------------------------------------------------------------------------------


def beir(folder: Path, corpus: str, queries: str, qrels: str) -> Path:
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text(corpus)
    (folder / "queries.jsonl").write_text(queries)
    (folder / "qrels" / "dev.tsv").write_text(qrels)
    return folder


CORPUS = '{"_id": "d1", "title": "One", "text": "First."}\n{"_id": "d2", "title": "", "text": "Second."}\n'
QUERIES = '{"_id": "q1", "text": "first?"}\n{"_id": "q2", "text": "unjudged?"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\tgone\t1\n"


def test_a_beir_folder_is_read_with_the_judged_queries_only(tmp_path: Path) -> None:
    folder = beir(tmp_path, CORPUS, QUERIES, QRELS)
    loaded = read_beir(folder, "dev")
    source = str(folder / "corpus.jsonl")
    assert loaded.corpus == (
        Paper("d1", "One", "First.", source=source),
        Paper("d2", "", "Second.", source=source),
    )
    assert loaded.queries == {"q1": "first?"}
    assert loaded.qrels == {"q1": {"d1": 2, "gone": 1}}


def test_judgements_need_no_heading(tmp_path: Path) -> None:
    assert read_beir(beir(tmp_path, CORPUS, QUERIES, "q2\td2\t0\n"), "dev").qrels == {"q2": {"d2": 0}}


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/dev.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = beir(tmp_path, CORPUS, QUERIES, QRELS)
    (folder / missing).unlink()
    with pytest.raises(BadInput, match=missing):
        read_beir(folder, "dev")


def test_another_split_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"test\.tsv: no such file: there is dev$"):
        read_beir(beir(tmp_path, CORPUS, QUERIES, QRELS), "test")
    with pytest.raises(BadInput, match="no such folder"):
        read_beir(tmp_path / "nowhere", "dev")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("corpus.jsonl", CORPUS + '{"_id": "d1", "text": "x"}', r"corpus.jsonl:3: duplicate _id 'd1'"),
        ("corpus.jsonl", '{"title": "T"}', r"corpus.jsonl:1: no '_id'"),
        ("corpus.jsonl", '{"_id": "d"}', r"corpus.jsonl:1: neither title nor text"),
        ("corpus.jsonl", "", r"corpus.jsonl: nothing in it"),
        ("queries.jsonl", '{"_id": "q1", "text": ""}', r"queries.jsonl:1: a query without text"),
        ("qrels/dev.tsv", "q1\td1\n", r"dev.tsv:1: expected query-id"),
        ("qrels/dev.tsv", "q1\td1\t0.5\n", r"dev.tsv:1: expected query-id"),
        ("qrels/dev.tsv", "q9\td1\t1\n", r"dev.tsv:1: queries.jsonl has no query 'q9'"),
        ("qrels/dev.tsv", "query-id\tcorpus-id\tscore\n", r"dev.tsv: no judgements"),
    ],
)
def test_a_bad_line_of_a_beir_folder_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    folder = beir(tmp_path, CORPUS, QUERIES, QRELS)
    (folder / name).write_text(text)
    with pytest.raises(BadInput, match=said):
        read_beir(folder, "dev")
