"""The day on which a page posts what no counter took."""

from chamberlain.identity.queries import revenue_office
from chamberlain.kernel.errors import NotFound
from chamberlain.ledger.queries import open_day


def posting_day_id() -> int:
    """The revenue office's open business day. Raises NotFound when none is open."""
    day = open_day(revenue_office().center_id)
    if day is None:
        raise NotFound("The revenue office has no open day; ask its supervisor to open one.")
    return int(day.pk)
