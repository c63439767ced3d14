"""`chamberlain estimate-reads` as a person or a scheduler runs it."""

from datetime import date

from chamberlain.metering.models import Read
from tests.billing.estimating_scenes import metered_town, read_on
from tests.cli.office_commands import chamberlain


def test_the_unread_of_a_cycle_are_looked_at_and_estimated_once(own_database: str) -> None:
    [agreement] = metered_town(1).agreements
    read_on(agreement, date(2025, 1, 1), 100)
    read_on(agreement, date(2025, 3, 1), 110)
    read_on(agreement, date(2026, 1, 1), 200)
    words = (
        "estimate-reads", "--tariff", "chicago-metered", "--reads-after", "2026-01-10",
        "--reads-up-to", "2026-03-01",
    )  # fmt: skip
    looked = chamberlain(*words, "--only-look", database=own_database)
    assert "Would be estimated: 1. Cannot be, and stay unread: 0." in looked.out, looked.err
    assert not Read.objects.filter(quality="estimate").exists()
    answer = chamberlain(*words, "--json", database=own_database)
    assert answer.json == {"estimates": 1, "refused": 0, "low_reads": 0}, answer.err
    again = chamberlain(*words, "--cycle-months", "2", database=own_database)
    assert "Estimated: 0." in again.out, again.err
    assert Read.objects.get(quality="estimate").usage_thousandths == 10_000
