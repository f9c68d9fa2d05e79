"""Who is at the other end, as far as the network tells."""

import ipaddress
from functools import lru_cache

LOOPBACK = "127.0.0.1"


@lru_cache(maxsize=4096)
def network_of(text: str) -> str:
    """What counts as one client: an IPv4 address, an IPv6 network, or this machine.

    A program of this machine may choose any address in 127.0.0.0/8. What is no address, such as
    that of a Unix socket, stays as it is.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped  # of a server that listens on `::`
    if address.is_loopback:
        return LOOPBACK
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    # One household or machine has a whole /64: https://datatracker.ietf.org/doc/html/rfc6177
    return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)
