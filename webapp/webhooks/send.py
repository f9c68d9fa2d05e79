"""One request to a webhook: it goes to no address that it may not, and takes no longer than it may.

The name is looked up once, and the connection goes to the address that was checked: a name that
leads elsewhere a moment later changes nothing. Redirects are not followed.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from urllib.parse import urlsplit

from webapp.webhooks.message import Message

MAX_SECONDS = 15.0
"""For one attempt, once the name is looked up."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


class NotSent(Exception):
    """The receiver has not taken it; why, for a person."""


class Refused(NotSent):
    """It must not be sent there: another attempt makes no sense before the settings change."""


def send(
    url: str, message: Message, *, allow_private: bool, max_seconds: float = MAX_SECONDS
) -> None:
    """Post a message; NotSent unless the answer is 2xx."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _address_of(host, port, allow_private=allow_private)
    connection = _Connection(host, port, address, parts.scheme == "https", max_seconds)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    timer = threading.Timer(max_seconds, connection.give_up)
    timer.daemon = True
    timer.start()
    status = 0
    try:
        connection.request("POST", target, message.body, message.headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        if not connection.is_late:
            raise NotSent(str(error) or type(error).__name__) from None
    finally:
        timer.cancel()
        connection.close()
    if connection.is_late:
        raise NotSent(f"no whole answer within {max_seconds:g} s")
    if 300 <= status < 400:
        raise NotSent(f"answered {status}: redirects are not followed")
    if not 200 <= status < 300:
        raise NotSent(f"answered {status}")


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found in _NAT64 or found in _SIX_TO_FOUR:  # a private IPv4 address may be inside
            return False
    return found.is_global and not found.is_multicast


def _address_of(host: str, port: int, *, allow_private: bool) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent(f"{host} cannot be looked up: {error}") from None
    addresses = [str(each[4][0]) for each in found]
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise Refused(
                    f"{host} leads to {address}, which is no public address; "
                    "`allow_private = true` permits it"
                )
    return addresses[0]


class _Connection(http.client.HTTPConnection):
    """A connection to an address, for a host of another name."""

    def __init__(
        self, host: str, port: int, address: str, is_secure: bool, max_seconds: float
    ) -> None:
        super().__init__(host, port, timeout=max_seconds)
        self.default_port = 443 if is_secure else 80
        self._address = address
        self._is_secure = is_secure
        self.is_late = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)

    def give_up(self) -> None:
        """End a request that takes too long, from another thread."""
        self.is_late = True
        try:
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
