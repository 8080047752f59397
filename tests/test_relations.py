"""What a model relates of the words that it keeps: what is what, and what hangs on which."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.relations import unrelated

WORDS = st.lists(
    st.sampled_from(
        """a the is are was be been which that than those same as way and suggest show can has levee levees clay's clay
        proposed wide dikes held called only not , : ( ) data we""".split()
    ),
    max_size=12,
).map(" ".join)


@pytest.mark.parametrize(
    ("text", "source", "told"),
    [
        pytest.param(
            "The map of a town is a model of its dikes and a list.",
            "Here we report the map of a town, a model of its dikes, and the list of its pumps.",
            "puts in 'is model'",
            id="one of a list, told to be another",
        ),
        pytest.param(
            "The soil of towns is known clay minerals.",
            "We review the soil of towns, known clay minerals, and dikes.",
            "puts in 'is known'",
            id="a participle that describes",
        ),
        pytest.param(
            "The binding of clay is not sand.",
            "It binds clay, but not sand.",
            "puts in 'is sand'",
            id="but not, told as is",
        ),
        pytest.param(
            "Dikes may be a key role in towns.",
            "Dikes may play a key role in towns.",
            "puts in 'be key'",
            id="be for a verb",
        ),
        pytest.param(
            "The gauge is not displayed a rise.",
            "The gauge does not display a rise.",
            "puts in 'is displayed' before what it is done to",
            id="a passive with an object",
        ),
        pytest.param(
            "Towns have a high risk, which can be mapped.",
            "Towns having a high risk can be mapped.",
            "puts in 'which'",
            id="a clause hung on",
        ),
        pytest.param(
            "Crews were aware that the levee.",
            "Crews were aware of the levee.",
            "puts in 'that the'",
            id="that, for of",
        ),
        pytest.param(
            "By the time of a child's two years.",
            "By the time a child is two years old.",
            'puts in "child\'s"',
            id="'s, for is",
        ),
        pytest.param(
            "Crews who knew were slower than aware of it.",
            "Crews who knew were slower than those who were aware of it.",
            "says 'than aware' for 'than those'",
            id="than, without those",
        ),
        pytest.param(
            "Sand did not sink in the way clay.",
            "Sand did not sink in the same way as clay.",
            "leaves out 'same way as'",
            id="same as",
        ),
        pytest.param(
            "Clay and sand mix and suggest that dikes leak.",
            "Our results establish that clay and sand mix and suggest that dikes leak.",
            "says 'suggest' of something else than the results",
            id="what results suggest",
        ),
        pytest.param(
            "Clay is cheap and hence argues that dikes pay.",
            "We show that clay is cheap, and hence argue that dikes pay.",
            "says 'argues' of something else than the results",
            id="what the authors argue",
        ),
        pytest.param(
            "Rain has severely eroded dikes.",
            "Rain can severely erode dikes.",
            "tells as done what can be",
            id="has, for can",
        ),
        pytest.param(
            "It holds on old tasks and on new tasks.",
            "It holds on new tasks and on old tasks.",
            "tells 'old' before 'new'",
            id="in the other order",
        ),
        pytest.param("It needs only 24 tons.", "It needs 24 tons.", "puts in 'only'", id="only"),
        pytest.param(
            "It beats previously dikes.",
            "It beats previous dikes.",
            "makes another word of its own: 'previously'",
            id="an adverb",
        ),
        pytest.param(
            "Recent built dikes hold.",
            "Recently built dikes hold.",
            "makes another word of its own: 'recent'",
            id="an adjective",
        ),
        pytest.param(
            "A proposed dike is proposed.",
            "We propose a dike.",
            "says 'proposed' more often than the sentence",
            id="twice",
        ),
        pytest.param(
            "It needs only clay and only sand.",
            "It needs clay and only sand.",
            "says 'only' more often than the sentence",
            id="only twice",
        ),
    ],
)
def test_what_the_sentence_does_not_relate_is_told(text: str, source: str, told: str) -> None:
    assert unrelated(text, source) == told


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("PEG is a simple pump.", "We present PEG, a new and simple pump for towns.", id="set beside"),
        pytest.param("PEG is a pump.", "We present PEG -- a pump -- and test the dike.", id="set beside, with dashes"),
        pytest.param("PEG is a relaxation.", "We use PEG as a relaxation of dikes.", id="as"),
        pytest.param("The kinds are clay and sand.", "We use two kinds: clay and sand.", id="a colon"),
        pytest.param("Clay is a cause.", "We conclude that clay is an important cause.", id="an adjective gone"),
        pytest.param(
            "Pumps will be publicly available.", "We make pumps publicly available.", id="an adjective behind it"
        ),
        pytest.param("Pumps are tested in towns.", "We test pumps in towns.", id="what was done"),
        pytest.param("A new pump is called PEG.", "We present a new pump, called PEG.", id="a name given"),
        pytest.param("PEG is wide.", "PEG, when wet, is very wide.", id="as it stands"),
        pytest.param("Loads were 12 tons.", "Loads of 12 tons were seen.", id="a number"),
        pytest.param(
            "It floods, which leads to mud.", "It floods, leading to mud, as seen.", id="which, for a participle"
        ),
        pytest.param("A dike which held is wide.", "A dike that held is wide.", id="which, for that"),
        pytest.param("Tests show that dikes hold.", "Tests show dikes hold.", id="that, put in before a noun"),
        pytest.param("The dike's clay held.", "The clay of the dike held.", id="'s, for of"),
        pytest.param("It holds longer than in others.", "It holds longer than that of others.", id="than in"),
        pytest.param("Sand sinks in the same way as clay.", "Sand sinks in the same way as clay does.", id="same kept"),
        pytest.param(
            "Results suggest that dikes leak.",
            "Our results show mixing and suggest that dikes leak.",
            id="results kept",
        ),
        pytest.param("Rain can erode dikes.", "Rain can severely erode dikes.", id="can kept"),
        pytest.param("It keeps not only towns dry.", "It keeps not just towns dry.", id="only, for just"),
        pytest.param("It is widely used, and wide.", "It is wide and widely used.", id="both as they stand"),
        pytest.param("New and old tasks.", "New tasks and old tasks.", id="the same order"),
        pytest.param("The proposed dike was tested.", "We propose a dike and test it.", id="once"),
    ],
)
def test_what_the_sentence_relates_may_stand(text: str, source: str) -> None:
    assert unrelated(text, source) == ""


@settings(max_examples=200, deadline=None)
@given(WORDS)
def test_no_words_are_worse_than_themselves(text: str) -> None:
    assert unrelated(text, text) == ""


@settings(max_examples=200, deadline=None)
@given(WORDS, WORDS)
def test_nothing_is_raised(text: str, source: str) -> None:
    assert isinstance(unrelated(text, source), str)
