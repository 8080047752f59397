"""CSL-JSON, which citation processors such as pandoc and Zotero take. Written here; `jsonl` reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rag.records import Paper


def write(papers: Sequence[Paper]) -> str:
    """The papers as one JSON array. Names stay whole: where a family name begins is not known."""
    return json.dumps([_item(paper) for paper in papers], ensure_ascii=False, indent=2) + "\n"


def _item(paper: Paper) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": paper.paper_id,
        "type": "article-journal" if paper.venue else "article",
        "title": paper.title,
        "author": [{"literal": name} for name in paper.authors],
        "issued": {"date-parts": [[paper.year]]} if paper.year else None,
        "container-title": paper.venue,
        "DOI": paper.doi,
        "URL": paper.url,
        "abstract": paper.abstract,
    }
    return {name: value for name, value in fields.items() if value}
