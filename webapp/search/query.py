"""What people type → an FTS5 expression. Pure.

    read_file timeout      both words              "no space left"    words in a row
    work*                  words that begin so     disk OR memory     one of them
    error NOT timeout      the first alone         (a OR b) c         grouped

A word with signs in it, such as `src/app.py`, means its parts in a row. Operators are
written in capitals. https://sqlite.org/fts5.html#full_text_query_syntax
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from webapp.errors import BadRequest

MAX_LETTERS = 500
MAX_TERMS = 32
MIN_PREFIX_LETTERS = 3
"""A shorter beginning would match too many words."""

_OPERATORS = ("AND", "OR", "NOT")
_TOKEN = re.compile(
    r'\s*(?:(?P<paren>[()])|"(?P<phrase>(?:[^"]|"")*)"(?P<star>\s?\*)?|(?P<word>[^\s()"]+)|(?P<rest>"))'
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Query:
    """A query that FTS5 takes."""

    expression: str
    wanted: str
    """Any of the terms that are wanted: what is to be highlighted."""
    parts: tuple[str, ...]
    """The words and beginnings of words in the wanted terms, in small letters."""
    has_prefix: bool
    """Whether words are looked for by their beginning: costly to begin with."""


class _Token(NamedTuple):
    kind: str
    """`(`, `)`, one of the operators, or `term`."""
    text: str


def parse_query(text: str) -> Query:
    """The query that a text means. BadRequest, which says what is wrong with it."""
    if len(text) > MAX_LETTERS:
        raise _bad(f"has {len(text)} letters, expected at most {MAX_LETTERS}")
    tokens = _tokens(text)
    if not tokens:
        raise _bad("is empty, expected words to look for")
    if sum(token.kind == "term" for token in tokens) > MAX_TERMS:
        raise _bad(f"has more than {MAX_TERMS} words")
    parser = _Parser(tokens)
    expression = parser.parse()
    words = {word for term in parser.wanted for word in _WORD.findall(term.casefold())}
    has_prefix = any(token.text.endswith("*") for token in tokens)
    return Query(expression, " OR ".join(parser.wanted), tuple(sorted(words)), has_prefix)


def _bad(reason: str) -> BadRequest:
    return BadRequest(f"q {reason}.", field="q")


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    text = text.replace("\0", " ").rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None
        at = found.end()
        if found["rest"] is not None:
            raise _bad(f"has a quote that is not closed: {text[found.start('rest') :][:80]}")
        if found["paren"] is not None:
            tokens.append(_Token(found["paren"], found["paren"]))
        elif found["phrase"] is not None:
            phrase = found["phrase"].replace('""', '"')
            tokens.append(_term(phrase, is_prefix=found["star"] is not None))
        elif found["word"] in _OPERATORS:
            tokens.append(_Token(found["word"], found["word"]))
        else:
            word = found["word"]
            tokens.append(_term(word.rstrip("*"), is_prefix=word.endswith("*")))
    return tokens


def _term(text: str, *, is_prefix: bool) -> _Token:
    letters = sum(map(str.isalnum, text))
    if letters == 0:
        shown = text + "*" * is_prefix
        raise _bad(f"has {shown[:80]!r}, in which there is no letter and no digit to look for")
    if is_prefix and letters < MIN_PREFIX_LETTERS:
        raise _bad(f"has {text + '*'!r}, expected at least {MIN_PREFIX_LETTERS} letters before *")
    quoted = text.replace('"', '""')
    return _Token("term", f'"{quoted}"{" *" if is_prefix else ""}')


class _Parser:
    """By recursive descent; NOT binds before AND, and AND before OR, as in FTS5."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._excluding = 0
        self.wanted: list[str] = []

    def parse(self) -> str:
        """The whole as an expression."""
        expression = self._either()
        if self._next() == ")":
            raise _bad('has a ")" without its "("')
        return expression

    def _next(self) -> str | None:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else None

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _either(self) -> str:
        parts = [self._all()]
        while self._next() == "OR":
            self._take()
            parts.append(self._all())
        return _joined(parts, "OR")

    def _all(self) -> str:
        parts = [self._without()]
        while self._next() in ("AND", "NOT", "term", "("):
            if self._next() == "AND":
                self._take()
            parts.append(self._without())
        return _joined(parts, "AND")

    def _without(self) -> str:
        expression = self._one()
        while self._next() == "NOT":
            self._take()
            self._excluding += 1
            expression = f"({expression} NOT {self._one()})"
            self._excluding -= 1
        return expression

    def _one(self) -> str:
        kind = self._next()
        before = self._tokens[self._at - 1].text if self._at else None
        if kind is None:
            raise _bad(f"ends after {before}, expected a word" if before else "is empty")
        if kind == "(":
            self._take()
            expression = self._either()
            if self._next() != ")":
                raise _bad('has a "(" that is not closed')
            self._take()
            return expression
        if kind != "term":
            where = f"after {before}" if before else "at its beginning"
            raise _bad(f"has {kind} {where}, expected a word there")
        term = self._take().text
        if not self._excluding:
            self.wanted.append(term)
        return term


def _joined(parts: list[str], operator: str) -> str:
    return parts[0] if len(parts) == 1 else f"({f' {operator} '.join(parts)})"
