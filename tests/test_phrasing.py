"""What a model puts in to join what is left of a sentence."""

from __future__ import annotations

import pytest

from rag.answering.phrasing import clumsy, unended


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("There are seven levees.", "We inspect seven levees.", id="there are"),
        pytest.param(
            "The translates to dry cellars.", "In our towns, this translates to dry cellars.", id="an article for this"
        ),
        pytest.param("The first uses gauges of rivers.", "We first use gauges of rivers.", id="for we"),
        pytest.param("The and other dikes held.", "These and other dikes held.", id="an article before a joint"),
        pytest.param("The is of use in towns.", "This is of use in towns.", id="an article before is"),
        pytest.param("There have been built dikes.", "We have built dikes.", id="there have been"),
        pytest.param(
            "In Ghent it is tested two pumps.", "In Ghent we tested two pumps.", id="it is, with what was done"
        ),
        pytest.param("The reason for is a flood.", "The reason for this is a flood.", id="for is"),
        pytest.param("The in turn keeps cellars dry.", "This in turn keeps cellars dry.", id="an article before in"),
        pytest.param("The reason behind is floods.", "The reason behind this is floods.", id="behind is"),
        pytest.param("In Ghent it is then tested pumps.", "In Ghent we then tested pumps.", id="it is, with then"),
        pytest.param("A levee does hold floods.", "A levee holds floods.", id="does"),
        pytest.param("Up to 30 of pumps run.", "Up to 30 pumps run.", id="of behind a number"),
        pytest.param("The -- levee held.", "The existence of -- a levee held.", id="an article before a mark"),
        pytest.param(
            "The inspected levees are of clay.", "We inspected levees of clay.", id="an article before what was done"
        ),
        pytest.param("The value of levees is for towns.", "We investigate the value of levees for towns.", id="is for"),
        pytest.param("Their height is to keep floods out.", "We study their height to keep floods out.", id="is to"),
        pytest.param(
            "It is more generally explore floods.", "We more generally explore floods.", id="is with a bare verb"
        ),
        pytest.param(
            "The measures are levees and pumps.",
            "We introduce measures, including levees and pumps.",
            id="examples as if they were all",
        ),
        pytest.param("Methods fail.", "This is because these methods fail.", id="these told of all"),
        pytest.param("A result holds.", "Such a result holds.", id="such a told of any"),
        pytest.param("A pump is fast.", "Our pump is fast.", id="our told of any"),
        pytest.param("Results in dry cellars.", "This results in dry cellars.", id="begins with its verb"),
        pytest.param(
            "To address the gap, a pump is proposed.", "To address this gap, we propose a pump.", id="a loose purpose"
        ),
        pytest.param("A dike (sand, clay) held.", "A dike (e.g., sand, clay) held.", id="an e.g. left out"),
        pytest.param("Towns rest on wide dike.", "Towns rest on a wide dike.", id="an a left out"),
        pytest.param("Levee holds.", "In Ghent, the levee holds.", id="a the left out in front"),
        pytest.param("It keeps height of levees.", "It keeps the height of levees.", id="the before of"),
        pytest.param("It keeps the dry cellars of old towns.", "It keeps dry cellars.", id="an article put in"),
        pytest.param("By use of wide dike, towns hold.", "With a wide dike, towns hold.", id="after another word"),
    ],
)
def test_what_joins_badly_is_told(text: str, source: str) -> None:
    assert clumsy(text, source)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("There are seven levees.", "In Ghent there are seven old levees.", id="there are, as it stands"),
        pytest.param("The levees held.", "Our levees held.", id="an article for our"),
        pytest.param("Levees are inspected.", "We inspect levees.", id="a passive"),
        pytest.param("The method is a pump.", "We propose a method, a pump.", id="is a"),
        pytest.param("Floods are of two kinds.", "Floods in Ghent are of two kinds.", id="is of, as it stands"),
        pytest.param("Measures such as levees hold.", "Measures such as levees, pumps and maps hold.", id="open still"),
        pytest.param("Results show it.", "Our results show it.", id="our results, told of no other"),
        pytest.param("The methods fail.", "These methods fail.", id="an article for these"),
        pytest.param("Pumps such as ours run.", "Pumps such as ours run.", id="such as"),
        pytest.param("To keep dry, towns pump.", "To keep dry, towns pump.", id="a purpose of its own"),
        pytest.param("Measures hold.", "Measures such as levees hold.", id="no example told"),
        pytest.param("Dikes hold the tide.", "Dikes, like the levee, hold the tide.", id="an article told"),
        pytest.param("The analysis holds.", "This analysis holds.", id="an article for this, before a noun"),
        pytest.param("The uses of clay grow.", "The uses of wet clay grow.", id="a noun like a verb"),
        pytest.param("Towns rest on dikes.", "Towns rest on the dikes.", id="a plural without its article"),
        pytest.param("It gives information.", "It gives the information.", id="what is not counted"),
        pytest.param("Towns rest on a dike.", "Towns rest on a very wide dike.", id="an article kept, a word gone"),
        pytest.param("The pump and dike hold.", "The pump and the dike hold.", id="an article that two share"),
        pytest.param("Hall A is dry.", "Our hall A, of clay, is dry.", id="a letter before is"),
        pytest.param("Group A and group B hold.", "Group A and also group B hold.", id="a letter is no article"),
        pytest.param(
            "In Ghent it is tested that pumps run.", "In Ghent we test that pumps run.", id="it is, with that"
        ),
        pytest.param("All that pumps run on is oil.", "All that pumps run on is oil.", id="on is, as it stands"),
        pytest.param("The levee does not hold.", "The levee fails to hold.", id="does not"),
        pytest.param("Thirty of the pumps run.", "Thirty pumps run.", id="of the"),
        pytest.param("An in vivo trial ended.", "A long in vivo trial ended.", id="an article before a preposition"),
        pytest.param("Its levee holds.", "The levee holds.", id="another determiner"),
    ],
)
def test_what_reads_well_may_stand(text: str, source: str) -> None:
    assert clumsy(text, source) == ""


@pytest.mark.parametrize(
    ("text", "source", "fault"),
    [
        pytest.param("The trained model on clay was.", "We trained the model on clay.", True, id="was"),
        pytest.param("Levees hold the.", "Levees hold the flood.", True, id="an article"),
        pytest.param("Testing levees is done.", "We test levees.", True, id="is done"),
        pytest.param("Levees hold floods.", "Levees hold floods back.", False, id="a noun"),
        pytest.param("What clay is made of.", "We ask what clay is made of.", False, id="as the sentence ends"),
    ],
)
def test_a_text_that_ends_too_early_is_told(text: str, source: str, fault: bool) -> None:
    assert bool(unended(text, source)) is fault
