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
        (r"$\sim$5 of $<5$ and \ensuremath{\alpha}", "∼5 of <5 and α"),
        (r"$5\% more than $6, $5 \pm 1 more than $6", r"$5% more than $6, $5 ± 1 more than $6"),
        (r"{\L}ukasz and J{\o}rgen {\O}rsted, Erd{\H o}s", "Łukasz and Jørgen Ørsted, Erdős"),
        (r"{\it model size} and \textit{other}", "model size and other"),
        (r"at~\url{https://example.org/a_b}", "at https://example.org/a_b"),
        (r"a \textbackslash{} b \textasciitilde{}c \textasciicircum{}2", "a \\ b ~c ^2"),
        (r"p \textless 0.05, \textgreater{}1 \textbar{} \~{}5", "p < 0.05, >1 | ~5"),
    ],
    ids=[
        "accents",
        "letters",
        "signs",
        "formulas",
        "short-formulas",
        "prices",
        "braced-letters",
        "emphasis",
        "address",
        "named-signs",
        "angles",
    ],
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
        "see \\ref{key}, \\frac{a}{b}",
        "plain",
        "$",
        "\\",
    ],
    ids=repr,
)
def test_other_text_stays(text: str) -> None:
    assert decode(text) == text


def test_a_command_without_its_argument_is_not_warned_of(capfd: pytest.CaptureFixture[str]) -> None:
    assert decode("\\frac ab of \\ensuremath") == "\\frac ab of \\ensuremath"
    assert capfd.readouterr().err == ""


def test_an_escaped_apostrophe_is_no_accent() -> None:
    assert decode(r"don\'t use the model\'s") == "don't use the model's"


def test_braces_of_bibtex_go() -> None:
    assert decode(r"{The} {BERT} \emph{of {GPT}} \{kept\}", braces=True) == "The BERT of GPT {kept}"


@pytest.mark.parametrize("flood", ["{", "$", "\\a{", "\\'", "$a", "\\emph{", "{\\it ", "~", "\\begin{a}"])
def test_a_flood_takes_bounded_time(flood: str) -> None:
    begun = time.perf_counter()
    decode(flood * 40_000, braces=True)
    assert time.perf_counter() - begun < 5
