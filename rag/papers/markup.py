"""HTML and JATS in titles and abstracts made plain, sparingly: known tags go, entities become what they stand for.

plain("<jats:p>Growth of <i>E. coli</i> &amp; more, x<y</jats:p>")  -> " Growth of E. coli & more, x<y "
"""

from __future__ import annotations

import html
import re

_HEADING = re.compile(r"\s*<((?:jats:)?title)>\s*(?:abstract|summary)\s*</\1>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BLOCK = "p|title|sec|br|list|list-item|label"
_INLINE = "b|i|em|strong|sub|sup|inf|italic|bold"
_ATTRIBUTE = r"\s{1,9}[A-Za-z:-]{1,30}=(?:\"[^\"<>]{0,200}\"|'[^'<>]{0,200}')"
_TAG = re.compile(
    rf"</?(?:(?P<block>(?:jats:)?(?:{_BLOCK}))|jats:[a-z-]{{1,30}}|{_INLINE})(?:{_ATTRIBUTE}){{0,9}}\s?/?>",
    re.IGNORECASE,
)


def plain(text: str) -> str:
    """`text` without known tags, those written as entities included, as publishers' exports escape them once more.

    A paragraph's or a break's becomes a space, so that words don't run together; the heading "Abstract" goes whole.
    """
    text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
    text = text[heading.end() :] if (heading := _HEADING.match(text)) else text
    return _TAG.sub(lambda tag: " " if tag["block"] else "", text)
