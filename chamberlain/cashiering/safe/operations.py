"""Everything that is done with a center's safe, in one place for pages, API and commands."""

from chamberlain.cashiering.safe.change import fill_change, order_change
from chamberlain.cashiering.safe.counting import Moment, count_safe
from chamberlain.cashiering.safe.fund import set_fund
from chamberlain.cashiering.safe.handover import hand_over
from chamberlain.cashiering.safe.surprise import count_by_surprise

__all__ = [
    "Moment",
    "count_by_surprise",
    "count_safe",
    "fill_change",
    "hand_over",
    "order_change",
    "set_fund",
]
