"""DOIs, arXiv ids, links and the ids made from titles."""

from __future__ import annotations

import pytest

from rag.papers import identifiers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.5555/ABC", "10.5555/abc"),
        (" https://doi.org/10.5555/a(1)b. ", "10.5555/a(1)b"),
        ("http://dx.doi.org/10.5555/a", "10.5555/a"),
        ("doi: 10.5555/a", "10.5555/a"),
        ("see 10.5555/a", ""),
        ("10.5555", ""),
        ("", ""),
    ],
)
def test_doi(text: str, expected: str) -> None:
    assert identifiers.doi(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2301.00001", "2301.00001"),
        ("arXiv:2301.00001v2", "2301.00001"),
        ("arXiv:2301.00001v2 [cs.CL]", "2301.00001"),
        ("https://arxiv.org/pdf/2301.00001v3.pdf", "2301.00001"),
        ("https://doi.org/10.48550/arXiv.2301.00001", "2301.00001"),
        ("math.GT/0309136", "math.gt/0309136"),
        ("2301.1", ""),
        ("https://example.org/2301.00001", ""),
    ],
)
def test_arxiv(text: str, expected: str) -> None:
    assert identifiers.arxiv(text) == expected


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Attention Is All You Need", "attention-is-all-you-need-"),
        ("Überraschung: Größe, 50%!", "uberraschung-grosse-50-"),
        ("One " * 40, "one-" * 12),
        ("日本語", ""),
        ("?!", ""),
    ],
)
def test_the_id_made_from_a_title(title: str, slug: str) -> None:
    made = identifiers.of_title(title)
    assert made.startswith(slug)
    assert len(made) == len(slug) + 6
    assert made.isascii()


def test_two_spellings_of_a_title_share_a_hash_and_two_titles_do_not() -> None:
    assert identifiers.of_title("Pre-Training: Naïve")[-6:] == identifiers.of_title("pretraining naive")[-6:]
    assert identifiers.of_title("日本語") != identifiers.of_title("中国語")


@pytest.mark.parametrize("name", ["", " padded ", "two\nlines", "x" * 129, "zero\u200bwidth"], ids=repr)
def test_a_name_that_cannot_be_an_id(name: str) -> None:
    assert identifiers.own(name) == ""
