"""Papers read again are the same papers: which new record is which old one, so that ids are kept. Pure functions.

A paper's id is given once. Where a record comes back changed (a DOI learned, a title mended, an abstract revised) it
keeps the id it had, and the id it would have been given becomes an alias.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rag.records import Paper

Keys = Callable[[Paper], Iterable[object]]


def carry_over(old: Sequence[Paper], new: Sequence[Paper]) -> tuple[Paper, ...]:
    """The new papers, in order, with the ids and aliases that they had before; ids stay distinct."""
    known = match(old, new)
    ids = {paper.paper_id for paper in old}
    taken = {paper.paper_id for paper in known.values()}
    carried = []
    for position, paper in enumerate(new):
        if position in known:
            carried.append(_as_before(known[position], paper, ids))
        else:
            carried.append(replace(paper, paper_id=_free(paper.paper_id, taken)))
            taken.add(carried[-1].paper_id)
    return tuple(carried)


def match(old: Sequence[Paper], new: Sequence[Paper]) -> dict[int, Paper]:
    """For positions in `new`, the old paper it is. Surest signs first; a sign that two papers share decides nothing."""
    found: dict[int, Paper] = {}
    for keys in (_registered_ids, _whole_text, _own_id, _title, _name_in_file):
        claimed = {paper.paper_id for paper in found.values()}
        by_key = _unique({i: paper for i, paper in enumerate(old) if paper.paper_id not in claimed}, keys)
        for key, position in _unique({i: p for i, p in enumerate(new) if i not in found}, keys).items():
            candidate = old[by_key[key]] if key in by_key else None
            if candidate is None or candidate.paper_id in claimed or position in found:
                continue
            if not _contradict(candidate, new[position]):
                found[position] = candidate
                claimed.add(candidate.paper_id)
    return found


def registered_ids(paper: Paper) -> frozenset[str]:
    """The DOIs and arXiv ids among a paper's names, in lower case with their prefixes."""
    names = {paper.paper_id, *paper.aliases} | ({f"doi:{paper.doi}"} if paper.doi else set())
    return frozenset(n.casefold() for n in names if n.casefold().startswith(("doi:", "arxiv:")))


def _registered_ids(paper: Paper) -> Iterable[object]:
    return registered_ids(paper)


def _whole_text(paper: Paper) -> Iterable[object]:
    return [(_bare(paper.title), _bare(paper.abstract))]


def _own_id(paper: Paper) -> Iterable[object]:
    return [paper.paper_id]


def _title(paper: Paper) -> Iterable[object]:
    return [_bare(paper.title)]


def _name_in_file(paper: Paper) -> Iterable[object]:
    """A name such as a BibTeX key means the same paper only within one file."""
    return [(paper.source, name) for name in (paper.paper_id, *paper.aliases)]


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _unique(papers: dict[int, Paper], keys: Keys) -> dict[object, int]:
    """The position of the one paper that has a key; keys of several papers are left out."""
    positions: defaultdict[object, list[int]] = defaultdict(list)
    for position, paper in papers.items():
        for key in dict.fromkeys(keys(paper)):
            positions[key].append(position)
    return {key: where[0] for key, where in positions.items() if len(where) == 1}


def _contradict(one: Paper, other: Paper) -> bool:
    """Whether two records carry different DOIs."""
    return bool(one.doi and other.doi and one.doi.casefold() != other.doi.casefold())


def _as_before(before: Paper, now: Paper, ids: set[str]) -> Paper:
    """The record as it is now under its old id; the new one becomes an alias unless another paper had it."""
    new_name = () if now.paper_id in ids else (now.paper_id,)
    names = dict.fromkeys((*before.aliases, *new_name, *now.aliases))
    return replace(
        now,
        paper_id=before.paper_id,
        aliases=tuple(name for name in names if name != before.paper_id),
    )


def _free(paper_id: str, taken: set[str]) -> str:
    """The id, with a number behind it where another paper has it."""
    candidate, number = paper_id, 1
    while candidate in taken:
        number += 1
        candidate = f"{paper_id}-{number}"
    return candidate
