"""The address that a client is counted by."""

from flask import Request

from webapp.connections.address import network_of


def client_address(request: Request) -> str:
    """Who asks, as far as the network tells: an IPv4 address, or an IPv6 network."""
    return network_of(request.remote_addr or "")
