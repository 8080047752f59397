"""What the weights of the evidence are learned from: the same numbers that are computed when a question is answered."""

from __future__ import annotations

import numpy as np
import pytest
from test_assistant import GLACIER, MISTYPED, RIGHT, mending

from eval.datasets import Question
from eval.learn_evidence import read_examples
from rag.answering.evidence import gather
from rag.answering.features import matrix
from rag.records import Scope


def test_features_are_of_the_question_as_it_was_read() -> None:
    """Mistyped words of a doubtful question are mended for the search; the words compared are then the mended ones."""
    assistant = mending(caution_below=0.7)
    [example] = read_examples(assistant, [Question("q", MISTYPED, gold_titles=(GLACIER.title,), facts=(("loss",),))])
    found = assistant.retrieve(MISTYPED, (), None, Scope())
    assert found.put_in == ("glaciers", "orbit")
    as_answered = matrix(found.query.text, found.vector, gather(found.hits, assistant.index), assistant.weight)
    np.testing.assert_array_equal(example.features, as_answered)


@pytest.mark.parametrize(("kind", "told"), [("which", 2), ("fact", 1)])
def test_a_title_states_a_fact_only_where_papers_are_asked_for(kind: str, told: int) -> None:
    """The title and the first sentence of the abstract hold the word, the second sentence does not."""
    question = Question("q", RIGHT, gold_titles=(GLACIER.title,), facts=(("Glacier",),), type=kind)
    [example] = read_examples(mending(caution_below=0.7), [question])
    assert int((example.gold & example.states[:, 0]).sum()) == told
