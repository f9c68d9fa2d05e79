"""What a procedure is, to the protocol and to the table of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple


class Tracked(NamedTuple):
    """Something that a subscription yields; with its id a client can go on after it."""

    id: str
    data: object


class Ping(NamedTuple):
    """A subscription's sign of life, when it has had nothing to yield for a while."""


@dataclass(frozen=True)
class Procedure:
    """A query or a mutation; `call` takes its input and returns its data."""

    kind: Literal["query", "mutation"]
    call: Callable[[Any], object]


@dataclass(frozen=True)
class Subscription:
    """`call` takes its input, and returns what it yields; bad input it refuses at once.

    An iterator that ends is a break, after which the client comes back with the last id.
    """

    call: Callable[[Any], Iterator[Tracked | Ping]]
    kind: Literal["subscription"] = "subscription"
