"""Who has to go when too many wait."""

from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from webapp.connections.waiting_room import WaitingRoom


@dataclass(eq=False)
class Client:
    """One that waits."""

    address: str
    began_at: float
    is_gone: bool = False

    def hang_up(self) -> None:
        self.is_gone = True


@pytest.mark.parametrize(
    ("limits", "addresses", "gone"),
    [
        ((3, None), "aaa", []),
        ((3, None), "aaaa", [0]),
        ((3, None), "aaaaa", [0, 1]),
        ((9, 2), "aab", []),
        ((9, 2), "aaba", [0]),
        ((9, 2), "baaba", [1]),
        ((9, 2), "bababa", [1, 0]),
        ((3, 2), "abcd", [0]),
        ((3, 2), "abbb", [1]),
    ],
)
def test_the_oldest_has_to_go(
    limits: tuple[int, int | None], addresses: str, gone: list[int]
) -> None:
    room = WaitingRoom(*limits)
    clients = [Client(address, number) for number, address in enumerate(addresses)]
    with ExitStack() as stack:
        for client in clients:
            stack.enter_context(room.wait(client))
        assert {number for number, one in enumerate(clients) if one.is_gone} == set(gone)


def test_who_waits_no_more_does_not_count() -> None:
    room = WaitingRoom(2, 1)
    clients = [Client("a", 0) for _ in range(5)]
    for client in clients:
        with room.wait(client):
            pass
    assert not any(client.is_gone for client in clients)


def test_one_that_has_waited_for_long_goes_though_it_comes_back() -> None:
    room = WaitingRoom(2, None)
    old, new, newer = Client("a", 1), Client("b", 2), Client("c", 3)
    with room.wait(new), room.wait(newer), room.wait(old):
        pass
    assert [one.is_gone for one in (old, new, newer)] == [True, False, False]
