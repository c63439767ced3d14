"""Bills on paper: files for the printer in postal order, and the lists beside them.

They are those of a run, or those of a day that no run made: of rebills, final bills, closings.

Every core, or a Dask cluster, makes files of some hundred bills each; the caller writes them. What
was replaced or taken back since is not printed, and holders who chose bills without paper are on
a list of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from chamberlain.billing.models import BillRun
from chamberlain.billing.workers import print_in_worker
from chamberlain.database.rows import rows
from chamberlain.database.spreading import spread
from chamberlain.identity.actors import Actor
from chamberlain.kernel.errors import NotFound
from chamberlain.kernel.tables import Table, columns, write_csv

FILE_BILLS = 500

_TO_PRINT = """
    SELECT b.id, b.number, a.number, coalesce(h.name, ''), coalesce(h.is_paperless, false),
        coalesce(h.email, '')
    FROM billing_bill b
    JOIN ledger_account a ON a.id = b.account_id
    LEFT JOIN LATERAL (
        SELECT c.name, c.is_paperless, p.postal_code, p.address,
            (SELECT min(e.value) FROM registry_contact e
                WHERE e.customer_id = c.id AND e.kind = 'email') AS email
        FROM registry_accountholding k
        JOIN registry_customer c ON c.id = k.customer_id
        LEFT JOIN registry_property p ON p.id = k.property_id
        WHERE k.account_id = b.account_id AND (k.period @> b.to_on - 1 OR upper_inf(k.period))
        ORDER BY lower(k.period) LIMIT 1) h ON true
    LEFT JOIN registry_accountmailing m
        ON m.account_id = b.account_id AND m.period @> b.issued_on
    WHERE {which}
        AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.reverses_id = b.entry_id)
    ORDER BY coalesce(m.postal_code, h.postal_code), coalesce(m.address, h.address), b.id
"""


@dataclass(frozen=True, slots=True)
class PrintedRun:
    """What was written. by_email: bills of holders who chose bills without paper."""

    bills: int
    files: int
    by_email: int


Progress = Callable[[int, int], None]


def print_run(
    actor: Actor,
    run_id: int,
    folder: Path,
    *,
    workers: int = 1,
    dask: str | None = None,
    progress: Progress = lambda _done, _files: None,
) -> PrintedRun:
    """Writes the run's bills into a folder: `run-N-0001.pdf` and on, `run-N-mailing.csv` with
    who gets which bill of which file, and `run-N-by-email.csv`.

    Files of the same names are written anew. progress: called with files done of all. Raises
    NotPermitted, NotFound.
    """
    actor.require("contact.view")
    if not BillRun.objects.filter(pk=run_id).exists():
        raise NotFound(f"There is no bill run {run_id}; look at the list of runs.")
    found = rows(_TO_PRINT.format(which="b.run_id = %s"), [run_id])
    return _print(found, f"run-{run_id}", folder, workers, dask, progress)


def print_day(
    actor: Actor,
    day: date,
    folder: Path,
    *,
    workers: int = 1,
    dask: str | None = None,
    progress: Progress = lambda _done, _files: None,
) -> PrintedRun:
    """Writes the bills that were issued on a day and that no run made, as `print_run` does.

    The files are called `day-2026-03-02-0001.pdf` and on. Raises NotPermitted.
    """
    actor.require("contact.view")
    found = rows(_TO_PRINT.format(which="b.run_id IS NULL AND b.issued_on = %s"), [day])
    return _print(found, f"day-{day}", folder, workers, dask, progress)


def _print(
    found: list[Any],
    name: str,
    folder: Path,
    workers: int,
    dask: str | None,
    progress: Progress,
) -> PrintedRun:
    paper = [row[0] for row in found if not row[4]]
    electronic = [row for row in found if row[4]]
    parts = [
        (number, paper[start : start + FILE_BILLS])
        for number, start in enumerate(range(0, len(paper), FILE_BILLS), start=1)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    mailing: dict[int, list[dict[str, Any]]] = {}
    for number, pdf, pages in spread(print_in_worker, parts, workers=workers, dask=dask):
        (folder / _file(name, number)).write_bytes(pdf)
        mailing[number] = pages
        progress(len(mailing), len(parts))
    _write(
        folder / f"{name}-mailing.csv",
        ("file", "place_in_file", "bill", "account", "name", "address"),
        [
            (_file(name, number), place, page["number"], page["account"], page["holder"],
             page["address"])
            for number in sorted(mailing)
            for place, page in enumerate(mailing[number], start=1)
        ],
    )  # fmt: skip
    _write(
        folder / f"{name}-by-email.csv",
        ("bill", "account", "name", "email"),
        [(bill, account, holder, email) for _, bill, account, holder, _, email in electronic],
    )
    return PrintedRun(len(paper), len(parts), len(electronic))


def _file(name: str, number: int) -> str:
    return f"{name}-{number:04}.pdf"


def _write(path: Path, names: tuple[str, ...], lines: list[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        write_csv(Table(path.stem, columns(names), lines), file)
