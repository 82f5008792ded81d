"""Whether a host is this machine itself: what may be served without a token, and is reached without a proxy.

It asks no name server: a name counts as loopback only if it is "localhost".
"""

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach that host."""
    if host.lower().removesuffix(".") == "localhost":
        return True

    return is_address(host) and ipaddress.ip_address(host).is_loopback


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address, version 4 or 6, without brackets."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False

    return True
