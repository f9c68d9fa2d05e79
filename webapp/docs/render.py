"""Markdown to HTML. markdown-it-py follows CommonMark; HTML in the text is shown, not used."""

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from webapp.docs.topics import anchor_of, read_topic

_SCROLLING = (
    ("<pre>", '<pre tabindex="0">'),
    ("<table>", '<div class="table-scroller" role="group" aria-label="Table" tabindex="0"><table>'),
    ("</table>", "</table></div>"),
)
"""What is wider than the page scrolls by itself, from the keyboard too."""


@cache
def render_topic(name: str) -> str:
    """A topic's page, less its first heading, which the page's own frame shows. NotFound."""
    _heading, _newline, text = read_topic(name).text.partition("\n")
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor_of(tokens[index + 1].content.replace("`", "")))
        for child in token.children or ():
            _point_to_page(child)
    html: str = parser.renderer.render(tokens, parser.options, {})
    for found, wanted in _SCROLLING:
        html = html.replace(found, wanted)
    return html


def _point_to_page(token: Token) -> None:
    """`events.md#ids` is right in a checkout; in the product it is `/docs/events#ids`."""
    target = token.attrGet("href")
    if isinstance(target, str) and "://" not in target and ".md" in target:
        page, _hash, anchor = target.partition("#")
        page = page.removesuffix(".md")
        token.attrSet("href", f"./{page}#{anchor}" if anchor else f"./{page}")
