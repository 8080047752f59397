"""LaTeX made plain, and only LaTeX."""

from __future__ import annotations

import time

import pytest

from rag.papers.latex import decode


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"Fr\'echet {\'e} \'{e} {\'{e}} T\"ULU", "Fréchet é é é TÜLU"),
        (r"\c{c} \v{s} na\"{\i}ve Stra\ss e", "ç š naïve Straße"),
        (r"5\% of \$3 \& a\_b \#1", "5% of $3 & a_b #1"),
        (r"$\alpha$-stable, $O(n^2)$, 10$\times$", "α-stable, O(n^2), 10×"),
        (r"{\it model size} and \textit{other}", "model size and other"),
        (r"at~\url{https://example.org/a_b}", "at https://example.org/a_b"),
        (r"a \textbackslash{} b \textasciitilde{}c \textasciicircum{}2", "a \\ b ~c ^2"),
    ],
    ids=["accents", "letters", "signs", "formulas", "emphasis", "address", "named-signs"],
)
def test_latex_is_decoded(text: str, expected: str) -> None:
    assert decode(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 and $6, or $200 per model",
        "from $5-$6",
        "prices $five dollars$ here",
        "C:\\new\\table and \\unknown",
        "sets {a, b} of ~5",
        "see \\cite{key}",
        "plain",
        "$",
        "\\",
    ],
    ids=repr,
)
def test_other_text_stays(text: str) -> None:
    assert decode(text) == text


def test_an_escaped_apostrophe_is_no_accent() -> None:
    assert decode(r"don\'t use the model\'s") == "don't use the model's"


def test_braces_of_bibtex_go() -> None:
    assert decode(r"{The} {BERT} \emph{of {GPT}} \{kept\}", braces=True) == "The BERT of GPT {kept}"


@pytest.mark.parametrize("flood", ["{", "$", "\\a{", "\\'", "$a", "\\emph{", "{\\it ", "~", "\\begin{a}"])
def test_a_flood_takes_bounded_time(flood: str) -> None:
    begun = time.perf_counter()
    decode(flood * 40_000, braces=True)
    assert time.perf_counter() - begun < 5
