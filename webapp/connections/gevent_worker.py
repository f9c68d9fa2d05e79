"""gunicorn's gevent worker, whose clients are read with limits."""

from typing import Any

from gunicorn.workers.ggevent import GeventWorker as GunicornGeventWorker

from webapp import clock
from webapp.connections.client_socket import ClientSocket
from webapp.connections.waiting_room import WaitingRoom
from webapp.stream.fairness import Arrivals
from webapp.stream.takeover.connection import HandedOver


class GeventWorker(GunicornGeventWorker):  # type: ignore[misc]
    """`room` and `arrivals` come from the application: see `Worker.start`."""

    room: WaitingRoom
    arrivals: Arrivals | None = None

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """All requests of one connection."""
        limited = ClientSocket(client, addr, self.room)
        super().handle(listener, limited, addr)
        if self.arrivals is not None and not limited.is_known:
            self.arrivals.count_stranger(clock.now())

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """One request."""
        sock.begin(req)
        try:
            super().handle_request(listener_name, req, sock, addr)
        except HandedOver:
            sock.is_handed_over = True
            raise
        sock.end()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse what gunicorn itself cannot take."""
        client.close_after_response(has_unread_body=True)
        super().handle_error(req, client, addr, exc)
