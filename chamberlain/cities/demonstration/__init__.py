"""The demonstration: Santa Monica's real usages, a made-up Chicago, and a sign-in for each role."""

from chamberlain.cities.demonstration.account_work import do_account_work
from chamberlain.cities.demonstration.chicago import generate_chicago
from chamberlain.cities.demonstration.citations import enter_citations
from chamberlain.cities.demonstration.counters import stock_the_counters
from chamberlain.cities.demonstration.places import places
from chamberlain.cities.demonstration.santa_monica import load_santa_monica
from chamberlain.cities.demonstration.users import ensure_demonstration_users

__all__ = [
    "do_account_work",
    "ensure_demonstration_users",
    "enter_citations",
    "generate_chicago",
    "load_santa_monica",
    "places",
    "stock_the_counters",
]
