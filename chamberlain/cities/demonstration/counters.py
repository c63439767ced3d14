"""What lies at the counters of the demonstration: stickers, tags and receipt books."""

from datetime import date, datetime

from django.db import transaction

from chamberlain.cashiering.stock import handing
from chamberlain.cashiering.stock.models import Kind, Move, Place
from chamberlain.cities.demonstration.desk import KEY
from chamberlain.identity.actors import actor_named

_DELIVERIES = (
    ("city_sticker", "26000001-26000500", "Delivery note 1187"),
    ("dog_tag", "4001-4100", "Delivery note 1188"),
    ("receipt_book", "301-320", "Delivery note 1188"),
)
_FOR_A_TILL = ("city_sticker", "26000001-26000050")
_CENTER, _TILL = "CH", "CH-1"


def stock_the_counters(today: date, now: datetime) -> None:
    """Brings stock into the safe of City Hall and sends some of it to a till, once.

    The coordinator enters each delivery, the center's supervisor counts it; what goes to the till
    waits for the cashier who opens it.
    """
    if Move.objects.exists():
        return
    coordinator, supervisor = actor_named("cole", today), actor_named("sofia", today)
    safe = Place.objects.get(center__code=_CENTER)
    with transaction.atomic():
        for code, numbers, note in _DELIVERIES:
            if not Kind.objects.filter(code=code).exists():
                continue
            made = handing.send(
                coordinator, code, numbers, None, safe.pk, note, now, f"{KEY} {code}"
            )
            handing.accept(supervisor, made, numbers, now)
        till = Place.objects.get(till__code=_TILL)
        code, numbers = _FOR_A_TILL
        handing.send(
            supervisor, code, numbers, safe.pk, till.pk, "For the morning", now, f"{KEY} till"
        )
