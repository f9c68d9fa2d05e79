"""How often a client may do a thing, counted across processes."""

import math
import subprocess
import sys
import time
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.http.client import Client
from tests.http.conftest import MakeClient
from tests.server import ROOT
from webapp.http.rates import FILE_NAME, Rate, Rates

TEN = Rate("ten", 10)
TOKEN = "s3cret-token-of-tests"
TAKE_MANY = """
import sys, time
from pathlib import Path
from webapp.http.rates import Rate, Rates
rates = Rates(Path(sys.argv[1]))
while time.time() < float(sys.argv[2]):
    pass
print(sum(rates.take(Rate("many", 5000), "somebody") == 0 for _ in range(4000)))
"""


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(rates: Rates, times: int, client: str = "a") -> int:
    """How often it was allowed."""
    return sum(rates.take(TEN, client) == 0 for _ in range(times))


def test_a_number_is_allowed_at_once_and_then_at_their_pace(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(tmp_path, clock)
    assert taken(rates, 20) == 10
    assert rates.take(TEN, "a") == pytest.approx(6)
    clock.now += 6
    assert taken(rates, 5) == 1
    clock.now += 60
    assert taken(rates, 20) == 10


def test_each_client_and_each_rate_is_counted_for_itself(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(tmp_path, clock)
    assert taken(rates, 20, "a") == 10
    assert taken(rates, 20, "b") == 10
    assert rates.take(Rate("other", 10), "a") == 0


def test_cost_counts_as_often_as_it_says(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(tmp_path, clock)
    assert [rates.take(TEN, "a", cost) for cost in (4, 4)] == [0, 0]
    assert rates.take(TEN, "a", 4) == pytest.approx(12)  # nothing is counted
    assert rates.take(TEN, "a", 2) == 0
    assert rates.take(TEN, "b", 11) == math.inf
    assert taken(rates, 20, "b") == 10


def test_bytes_are_counted_exactly(tmp_path: Path, clock: Clock) -> None:
    rates, budget = Rates(tmp_path, clock), Rate("byte", 64 << 20)
    assert rates.take(budget, "a", (64 << 20) - 100) == 0
    assert rates.take(budget, "a", 200) > 0
    assert rates.take(budget, "a", 100) == 0
    assert rates.take(budget, "a", 100) > 0
    clock.now += 1
    assert rates.take(budget, "a", 1 << 20) == 0
    assert rates.take(budget, "a", 1 << 20) > 0


def test_looking_counts_nothing(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(tmp_path, clock)
    assert [rates.wait_seconds(TEN, "a") for _ in range(30)] == [0.0] * 30
    assert taken(rates, 20) == 10
    assert rates.wait_seconds(TEN, "a") > 0


def test_clock_that_is_set_back_locks_nobody_out(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(tmp_path, clock)
    taken(rates, 20)
    clock.now -= 100_000
    assert taken(rates, 20) == 10
    clock.now += 60
    assert taken(rates, 20) == 10


def test_flood_of_clients_grows_nothing_and_forgets_no_recent_one(
    tmp_path: Path, clock: Clock
) -> None:
    rates = Rates(tmp_path, clock)
    size = (tmp_path / FILE_NAME).stat().st_size
    for number in range(30_000):
        rates.take(TEN, f"client {number}")
        clock.now += 0.01
    assert taken(rates, 20, "client 29999") == 9
    assert (tmp_path / FILE_NAME).stat().st_size == size


def test_processes_count_together(tmp_path: Path) -> None:
    began = time.time() + 1
    command = [sys.executable, "-c", TAKE_MANY, str(tmp_path), str(began)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    counts = [int(process.communicate()[0]) for process in processes]
    come_meanwhile = (time.time() - began) * 5000 / 60
    assert 5000 <= sum(counts) <= 5001 + come_meanwhile


# --- in requests ----------------------------------------------------------------------


def ask(client: Client, token: str, address: str) -> TestResponse:
    """A request with a token, from an address."""
    headers = {"Authorization": f"Bearer {token}"}
    return client.http.get("/api/sessions", headers=headers, environ_base={"REMOTE_ADDR": address})


def test_token_cannot_be_guessed_and_others_are_not_locked_out(make_client: MakeClient) -> None:
    client, guesser = make_client(token=TOKEN), "192.0.2.6"
    statuses = [ask(client, str(guess), guesser).status_code for guess in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    right = ask(client, TOKEN, guesser)
    assert right.status_code == 429
    assert 1 <= int(right.headers["Retry-After"]) <= 60
    form = client.http.post("/login", data={"token": TOKEN}, environ_base={"REMOTE_ADDR": guesser})
    assert (form.status_code, "Set-Cookie" in form.headers) == (429, False)
    assert ask(client, TOKEN, "192.0.2.7").status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_wrong_tokens_from_loopback_lock_out_no_right_one(
    make_client: MakeClient, address: str
) -> None:
    client = make_client(token=TOKEN)
    assert [ask(client, "x", address).status_code for _ in range(12)] == [401] * 10 + [429] * 2
    assert {ask(client, str(guess), address).status_code for guess in range(300)} <= {401, 429}
    assert ask(client, TOKEN, address).status_code == 200
    assert client.http.post("/login", data={"token": TOKEN}).headers["Location"] == "/"


def test_guesses_from_loopback_are_limited_over_all_its_addresses(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN)
    statuses = [ask(client, "x", f"127.0.0.{host}").status_code for host in range(1, 13)]
    assert statuses == [401] * 10 + [429] * 2


@pytest.mark.parametrize("form", ["192.0.2.{}", "::ffff:192.0.2.{}"])
def test_neighbours_count_apart(make_client: MakeClient, form: str) -> None:
    client = make_client(token=TOKEN)
    statuses = [ask(client, "x", form.format(host)).status_code for host in range(1, 13)]
    assert statuses == [401] * 12


def test_whole_network_of_an_ipv6_guesser_is_one_client(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN)
    statuses = [
        client.http.get(
            "/api/sessions",
            headers={"Authorization": "Bearer x"},
            environ_base={"REMOTE_ADDR": f"2001:db8::{host:x}"},
        ).status_code
        for host in range(1, 13)
    ]
    assert statuses == [401] * 10 + [429] * 2


def test_changes_have_a_rate_and_reading_has_none(make_client: MakeClient) -> None:
    client = make_client(max_changes_per_minute=5)
    statuses = [client.call("workflow.create", {}).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    refused = client.call("workflow.create", {})
    assert 1 <= int(refused.headers["Retry-After"]) <= 12
    assert refused.get_json()["error"]["data"]["code"] == "TOO_MANY_REQUESTS"
    assert client.get("/api/sessions").status_code == 200


def test_address_that_a_client_claims_counts_only_behind_a_proxy(
    make_client: MakeClient,
) -> None:
    client = make_client(token=TOKEN)
    claimed = [
        client.get("/api/sessions", Authorization="Bearer x", X_Forwarded_For=f"192.0.2.{n}")
        for n in range(11)
    ]
    assert claimed[-1].status_code == 429


def test_proxy_says_who_asks(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN, proxies=1)
    told = [
        client.get("/api/sessions", Authorization="Bearer x", X_Forwarded_For=f"192.0.2.{n}")
        for n in range(11)
    ]
    assert told[-1].status_code == 401
