import pytest
from conftest import FakeEmbedder

from rag.index.passages import sentences_of, split
from rag.records import Paper, Passage, Sentence


def paper(abstract: str, title: str = "A title") -> Paper:
    return Paper("p1", title, abstract)


def numbered(count: int, words: int = 3) -> tuple[Paper, tuple[Sentence, ...]]:
    """A paper whose sentences are 's0 w w.', 's1 w w.', ...; each of `words` words."""
    texts = [" ".join([f"s{n}", *["w"] * (words - 1)]) + "." for n in range(count)]
    starts = [sum(len(text) + 1 for text in texts[:n]) for n in range(count)]
    made = paper(" ".join(texts))
    return made, tuple(
        Sentence("p1", n, start, start + len(text), text)
        for n, (start, text) in enumerate(zip(starts, texts, strict=True))
    )


def windows_of(count: int, window: int = 256, words: int = 3) -> list[list[int]]:
    """Which sentences each passage holds."""
    embedder = FakeEmbedder()
    embedder.window = window
    made, sentences = numbered(count, words)
    return [
        [s.position for s in sentences if each.passage.start <= s.start and s.end <= each.passage.end]
        for each in split([(made, sentences)], embedder)[0]
    ]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [[0]]),
        (2, [[0, 1]]),
        (3, [[0, 1, 2]]),
        (4, [[0, 1, 2], [2, 3]]),
        (5, [[0, 1, 2], [2, 3, 4]]),
        (6, [[0, 1, 2], [2, 3, 4], [4, 5]]),
    ],
)
def test_windows_of_three_stride_two_end_with_the_last_sentence(count: int, expected: list[list[int]]) -> None:
    assert windows_of(count) == expected


def test_a_window_that_is_too_long_gives_its_last_sentence_to_the_next() -> None:
    # "A title." and the special tokens take 4; three sentences of three words need 13.
    assert windows_of(6, window=12) == [[0, 1], [2, 3], [4, 5]]


def test_windows_of_single_sentences_where_no_two_fit() -> None:
    assert windows_of(3, window=8) == [[0], [1], [2]]


def test_every_embedded_text_fits_and_no_word_is_lost() -> None:
    embedder = FakeEmbedder()
    embedder.window = 10
    made, sentences = numbered(3, words=40)
    found = split([(made, sentences)], embedder)[0]
    assert max(embedder.count_tokens([each.embedded for each in found])) <= 10
    covered = {position for each in found for position in range(each.passage.start, each.passage.end)}
    assert all(position in covered for position, c in enumerate(made.abstract) if not c.isspace())
    assert all(each.passage.text == each.passage.text.strip() for each in found)


def test_a_long_sentence_is_cut_between_words() -> None:
    embedder = FakeEmbedder()
    embedder.window = 10
    made, sentences = numbered(1, words=40)
    whole = set(made.abstract.split())
    assert all(set(each.passage.text.split()) <= whole for each in split([(made, sentences)], embedder)[0])


class CharacterEmbedder(FakeEmbedder):
    """Counts every character as a token, as tokenizers do with scripts they were not made for."""

    def count_tokens(self, texts: list[str]) -> list[int]:  # type: ignore[override]
        return [len(text) for text in texts]


@pytest.mark.parametrize("window", [1, 2, 8, 20])
def test_a_word_longer_than_the_window_ends_in_pieces(window: int) -> None:
    embedder = CharacterEmbedder()
    embedder.window = window
    made = paper("深" * 100, title="学" * 300)
    found = split([(made, sentences_of(made))], embedder)[0]
    assert "".join(each.passage.text for each in found) == made.abstract


def test_a_title_that_fills_the_window_is_cut() -> None:
    embedder = FakeEmbedder()
    embedder.window = 20
    made = paper("One short sentence.", title=" ".join(["long"] * 60))
    (only,) = split([(made, sentences_of(made))], embedder)[0]
    assert only.embedded == " ".join(["long"] * 8) + ". One short sentence."


def test_the_title_stands_in_front_of_what_is_embedded() -> None:
    made = paper("One short sentence.")
    (only,) = split([(made, sentences_of(made))], FakeEmbedder())[0]
    assert only.embedded == "A title. One short sentence."
    assert only.passage == Passage("p1#0", "p1", 0, 19, "One short sentence.")


def test_a_paper_that_does_not_fit_leaves_the_others_as_they_are() -> None:
    embedder = FakeEmbedder()
    embedder.window = 12
    short, long = numbered(2), numbered(6)
    assert [len(each) for each in split([short, long, short], embedder)] == [1, 3, 1]


def test_tokens_are_counted_in_batches() -> None:
    class Counting(FakeEmbedder):
        calls = 0

        def count_tokens(self, texts: list[str]) -> list[int]:  # type: ignore[override]
            self.calls += 1
            return super().count_tokens(texts)

    embedder = Counting()
    split([numbered(9) for _ in range(50)], embedder)
    assert embedder.calls == 2


def test_no_papers_no_passages() -> None:
    assert split([], FakeEmbedder()) == []


def test_sentences_are_the_abstract_s_own_characters() -> None:
    made = paper("We train a model. It works well in practice.")
    found = sentences_of(made)
    assert [s.text for s in found] == ["We train a model.", "It works well in practice."]
    assert all(made.abstract[s.start : s.end] == s.text and s.position == n for n, s in enumerate(found))


def test_an_abstract_without_sentences_is_one() -> None:
    assert len(sentences_of(paper("..."))) == 1
