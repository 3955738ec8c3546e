"""Where webhooks may go: https to public addresses, and nowhere near our own machines unless the project says so."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from gamification.conf import get_settings

#: IPv6 networks in which an IPv4 address is told: NAT64, and addresses "compatible" with IPv4.
CARRIERS = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenURL(Exception):
    """A URL that nothing is sent to; the text says why."""


class UnknownHost(Exception):
    """The name of a host that has no address."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in the parts that a request is made of; ``authority`` is host and port as the header ``Host`` has them."""

    is_secure: bool
    host: str
    port: int
    authority: str
    path: str


def target(url: str) -> Target:
    """Return the parts of ``url``.

    Raises:
        ForbiddenURL: it is no https URL (or http, where private addresses are allowed) of a host and nothing else.
    """
    allows_private = get_settings().WEBHOOKS_ALLOW_PRIVATE
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ForbiddenURL("This is not a URL.") from error
    if parts.scheme not in ({"https", "http"} if allows_private else {"https"}):
        raise ForbiddenURL("The URL has to begin with https://.")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ForbiddenURL("The URL has to be of ASCII characters, without spaces.")
    if not parts.hostname or port == 0:
        raise ForbiddenURL("The URL has to name a host.")
    if "@" in parts.netloc or parts.fragment:
        raise ForbiddenURL("The URL may hold neither a user nor a fragment.")
    is_secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_secure, parts.hostname, port or (443 if is_secure else 80), parts.netloc, path)


def addresses(host: str, port: int) -> list[str]:
    """Return the addresses of ``host``, each checked: to connect to these, and not to the name, is to be safe.

    One address that is not allowed forbids them all.

    Raises:
        ForbiddenURL: an address is private, or otherwise not one of the internet.
        UnknownHost: there is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(host) from error
    unique = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not get_settings().WEBHOOKS_ALLOW_PRIVATE and not all(is_public(ipaddress.ip_address(one)) for one in unique):
        raise ForbiddenURL("The host has an address that is not public.")
    return unique


def is_public(address: Address) -> bool:
    """Tell whether an address is one of a single machine on the internet, also where it wraps an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if (inner := _inner(address)) is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that packets to ``address`` end up at, if it wraps one."""
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if any(address in network for network in CARRIERS):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
