"""The address that a client is counted by."""

import ipaddress

from flask import request

from webapp.settings import is_loopback

LOOPBACK = "127.0.0.1"


def client_address() -> str:
    """Who asks, as far as the network tells: an IPv4 address, or an IPv6 network.

    All of this machine are one: a program there may choose any address in 127.0.0.0/8.
    """
    text = request.remote_addr or ""
    if is_loopback(text):
        return LOOPBACK
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:  # of a server that listens on `::`
        return LOOPBACK if address.ipv4_mapped.is_loopback else str(address.ipv4_mapped)
    # One household or machine has a whole /64: https://datatracker.ietf.org/doc/html/rfc6177
    return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)
