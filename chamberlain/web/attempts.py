"""How often something was tried at the public pages, counted for all web workers together.

An IPv6 address is counted by its /64, which one subscriber has for themselves. Counts are kept in
the cache that all workers share; a lock of the database lets those who try at the same moment
count one after the other.
"""

import hmac
import time
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest

ATTEMPTS = 10
WINDOW_SECONDS = 300


def network_of(request: HttpRequest) -> str:
    """What tries from this request are counted by: an IPv4 address, or the /64 of an IPv6 one."""
    said = str(get_adapter(request).get_client_ip(request))
    try:
        address = ip_address(said.split("%", maxsplit=1)[0])
    except ValueError:
        return said[:60]
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


def is_too_often(request: HttpRequest, what: str) -> bool:
    """Counts a try from this network; True when there were too many in the last minutes."""
    return _is_over(f"certificate:{what}:{network_of(request)}")


def is_tried_too_often(what: str, subject: str) -> bool:
    """Counts a try at one subject, from wherever it comes. The subject itself is not kept."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), subject.encode(), sha256).hex()[:32]
    return _is_over(f"attempts:{what}:{digest}")


def _is_over(key: str) -> bool:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        now = time.time()
        count, until = cache.get(key) or (0, now + WINDOW_SECONDS)
        if until <= now:
            count, until = 0, now + WINDOW_SECONDS
        count += 1
        cache.set(key, (count, until), max(1, int(until - now)))
    return bool(count > ATTEMPTS)
