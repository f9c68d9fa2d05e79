"""What one address may do in a minute, counted across all workers."""

import math

from flask import request

from webapp.errors import PayloadTooLarge, TooManyRequests
from webapp.http.client_address import client_address
from webapp.http.rates import Rate
from webapp.http.services import services


def count_changes(number: int = 1) -> None:
    """Each call that changes something is one, also in a batch. TooManyRequests."""
    _take(Rate("change", services().settings.max_changes_per_minute), number, "changes")


def count_bytes(number: int) -> None:
    """What a client sends for an agent or the database. TooManyRequests."""
    _take(Rate("byte", services().settings.max_sent_bytes_per_minute), number, "bytes")


def _take(rate: Rate, number: int, things: str) -> None:
    wait = services().rates.take(rate, client_address(request), number)
    if wait == math.inf:
        raise PayloadTooLarge(
            f"{number} {things} in one request, expected at most {rate.per_minute} a minute."
        )
    if wait > 0:
        raise TooManyRequests(
            f"More than {rate.per_minute} {things} a minute from your address; wait a moment.",
            retry_after=int(wait) + 1,
        )
