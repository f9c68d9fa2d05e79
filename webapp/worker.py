"""One worker of the server: all its parts, each complete when it is made, and its life."""

import gc
from typing import Any

from webapp.clock import Ticker
from webapp.host import Host
from webapp.http.approval_board import ApprovalBoard
from webapp.http.fast_path import FastPath
from webapp.http.message_board import MessageBoard
from webapp.http.rates import Rates
from webapp.http.services import Services, end_abandoned
from webapp.keeper.starter import KeeperStarter
from webapp.metrics.meter import PUBLISH_SECONDS, Meter
from webapp.sessions.launch import Launcher
from webapp.settings import Settings
from webapp.store.engine import open_migrated
from webapp.store.logins import Logins
from webapp.stream.fairness import Arrivals
from webapp.stream.hub import Hub
from webapp.stream.streams import Streams
from webapp.webhooks.profile import variables_of


class Worker:
    """Built by the application's factory; whatever runs the process starts and stops it."""

    def __init__(self, settings: Settings, host: Host) -> None:
        """SetupError if it cannot run."""
        meter = Meter(host.memory, host.slot)
        database = open_migrated(settings.var, on_lock_wait=meter.count_lock_wait)
        launcher = Launcher(settings, database, on_runner_failure=meter.count_runner_failure)
        logins = None if settings.token is None else Logins(settings.var, settings.token)
        hub = Hub(
            lambda session_id: end_abandoned(database, launcher, session_id),
            should_stop=host.should_stop,
            is_login_live=(lambda login: True) if logins is None else logins.is_live,
            count_sent=meter.count_sent,
        )
        self._arrivals = Arrivals(lambda: hub.viewers > 0)
        self.services = Services(
            settings=settings,
            database=database,
            launcher=launcher,
            streams=_make_streams(settings, host, hub, self._arrivals),
            board=MessageBoard(database, host.should_stop),
            approvals_board=ApprovalBoard(
                database,
                host.should_stop,
                lambda session_id: end_abandoned(database, launcher, session_id) is None,
            ),
            rates=Rates(settings.var),
            meter=meter,
            logins=logins,
        )
        self._host = host
        self._publisher = Ticker("metrics", PUBLISH_SECONDS, self.services.publish_streams)
        self._keeper = KeeperStarter(launcher.var, variables_of(settings.webhooks))

    def start(self) -> None:
        """Do what a worker does by itself, before its first request.

        What is loaded by now stays loaded: the garbage collector never needs to look at it.
        """
        if self._host.gunicorn_worker is not None:
            self._equip(self._host.gunicorn_worker)
        self.services.publish_streams()
        self._publisher.start()
        self._keeper.start()
        gc.collect()
        gc.freeze()

    def _equip(self, gunicorn_worker: Any) -> None:
        """Give gunicorn's worker what it needs to limit and to pace its clients."""
        from webapp.compat.gunicorn import set_error_page
        from webapp.connections.error_page import write_error
        from webapp.connections.waiting_room import make_waiting_room

        settings = self.services.settings
        gunicorn_worker.room = make_waiting_room(
            threads=None if settings.worker_class == "gevent" else settings.threads,
            has_proxies=settings.proxies > 0,
        )
        set_error_page(write_error)
        if self._host.has_sockets:
            from webapp.stream.takeover.paced_server import accept_in_slices

            gunicorn_worker.arrivals = self._arrivals
            accept_in_slices(gunicorn_worker, self._arrivals, FastPath(self.services).try_serve)

    def stop(self) -> None:
        """End the streams that are still open, so that their viewers resume at once."""
        self.services.streams.stop()
        self._publisher.stop()
        self._keeper.stop()


def _make_streams(settings: Settings, host: Host, hub: Hub, arrivals: Arrivals) -> Streams:
    if not host.has_sockets:
        return Streams(hub, None, settings.send_timeout_seconds)

    from webapp.stream.takeover.takeover import Takeover  # needs gevent

    takeover = Takeover(
        hub,
        arrivals,
        ping_seconds=settings.ping_seconds,
        send_timeout_seconds=settings.send_timeout_seconds,
    )
    return Streams(hub, takeover, settings.send_timeout_seconds)
