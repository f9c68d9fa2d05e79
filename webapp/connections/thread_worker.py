"""gunicorn's gthread worker, whose clients are read with limits."""

from typing import Any

from gunicorn.workers.gthread import ThreadWorker as GunicornThreadWorker

from webapp.compat.gunicorn import give_socket
from webapp.connections.client_socket import ClientSocket
from webapp.connections.waiting_room import WaitingRoom


class ThreadWorker(GunicornThreadWorker):  # type: ignore[misc]
    """`room` comes from the application: see `Worker.start`.

    With TLS, which is the proxy's work, gunicorn makes another socket, without limits.
    """

    room: WaitingRoom

    def enqueue_req(self, conn: Any) -> None:
        """Let a thread see to a connection, of which something is there to be read."""
        if conn.parser is None and not self.cfg.is_ssl:
            client = ClientSocket(conn.sock, conn.client, self.room)
            give_socket(conn, client)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """One request, in a thread; false if the connection is to be closed.

        gunicorn would linger in the main thread, where it keeps everybody else from coming in.
        """
        goes_on = super().handle(conn)
        if not goes_on and isinstance(conn.sock, ClientSocket):
            conn.sock.linger()
        return goes_on

    def handle_request(self, req: Any, conn: Any) -> Any:
        """One request."""
        if not isinstance(conn.sock, ClientSocket):
            return super().handle_request(req, conn)
        conn.sock.begin(req)
        goes_on = super().handle_request(req, conn)
        conn.sock.end()
        return goes_on
