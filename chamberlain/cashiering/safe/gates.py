"""What a center that keeps its safe must have counted before a till opens and a day closes."""

from chamberlain.cashiering.safe.models import ChangeFund, SafeCount
from chamberlain.kernel.errors import Refused
from chamberlain.ledger.models import BusinessDay


def refuse_uncounted_start(day: BusinessDay) -> None:
    """Raises Refused when the center keeps its safe and it was not counted this morning."""
    _refuse_uncounted(day, SafeCount.Moment.START, "before the first till opens")


def refuse_uncounted_end(day: BusinessDay) -> None:
    """Raises Refused when the center keeps its safe and it was not counted at the day's end."""
    _refuse_uncounted(day, SafeCount.Moment.END, "before the day closes")


def _refuse_uncounted(day: BusinessDay, moment: SafeCount.Moment, when: str) -> None:
    if not ChangeFund.objects.filter(center_id=day.center_id).exists():
        return
    if SafeCount.objects.filter(business_day=day, moment=moment).exists():
        return
    raise Refused(f"The safe of {day.center.name} is counted by two people {when}; count it first.")
