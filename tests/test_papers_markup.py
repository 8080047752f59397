"""HTML and JATS made plain, and only known tags."""

from __future__ import annotations

import time

import pytest

from rag.papers.markup import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Some <b>bold</b> text.</p><p>More.</p>", " Some bold text.  More. "),
        ("<p class=\"first\" id='a'>x<br/>y", " x y"),
        ("H<sub>2</sub>O, m<SUP>2</SUP>, CO<inf>2</inf>", "H2O, m2, CO2"),
        ("<jats:sec><jats:p>a<jats:xref>1</jats:xref></jats:p></jats:sec>", "  a1  "),
        ("<title>Abstract</title><p>Growth", " Growth"),
        ("&lt;p&gt;R&amp;D&nbsp;&#8212;&#x2014;&lt;/p&gt;", " R&D\xa0—— "),
    ],
    ids=["html", "attributes", "inline", "jats", "heading", "entities"],
)
def test_known_markup_goes(text: str, expected: str) -> None:
    assert plain(text) == expected


@pytest.mark.parametrize(
    "text", ["x<y and y>z", "a <b and c> d", "<|im_end|>", "<unk> <script>x</script>", "R&D; a & b"]
)
def test_other_text_stays(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize("flood", ["<", "<p ", "<p a=", '<p a="', "&", "&#", "<jats:", "<title>", "<title> abstract "])
def test_a_flood_takes_bounded_time(flood: str) -> None:
    begun = time.perf_counter()
    plain(flood * 40_000)
    assert time.perf_counter() - begun < 5
