"""The command `chamberlain`: its groups, and what a refusal or a fault looks like."""

import logging
import secrets
import sys
from collections.abc import Callable

import typer

from chamberlain.cli import (
    bank,
    bill_run,
    citations,
    city,
    database,
    demo,
    deposits,
    estimates,
    general_ledger,
    ledger,
    penalties,
    plans,
    print_bills,
    reads,
    rebill,
    serving,
    tariff,
    usage,
    user,
    what_if,
    write_letters,
)
from chamberlain.kernel.errors import BadFile, Refused

log = logging.getLogger("chamberlain.cli")

app = typer.Typer(
    name="chamberlain",
    help="The revenue office of a city.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(bank.app, name="bank")
app.add_typer(city.app, name="city")
app.add_typer(database.app, name="database")
app.add_typer(ledger.app, name="ledger")
app.add_typer(reads.app, name="reads")
app.add_typer(rebill.app, name="rebill")
app.add_typer(tariff.app, name="tariff")
app.add_typer(user.app, name="user")
app.command("migrate")(database.migrate)
app.command("demo")(demo.demo)
app.command("bill-run")(bill_run.bill_run)
app.command("print-bills")(print_bills.print_bills)
app.command("estimate-reads")(estimates.estimate_reads)
app.command("write-letters")(write_letters.write_letters)
app.command("what-if")(what_if.what_if)
app.command("general-ledger")(general_ledger.general_ledger)
app.command("citations")(citations.citations)
app.command("penalties")(penalties.penalties)
app.command("deposits")(deposits.deposits)
app.command("plan-review")(plans.plan_review)
app.command("watch-usage")(usage.watch_usage)
app.command("serve")(serving.serve)
app.command("version")(serving.version)


def main() -> None:
    """Runs the command that the process was started with, and exits with its code."""
    sys.exit(run(app))


def run(command: Callable[[], object]) -> int:
    """Runs a command; a refusal is printed and exits 2, a fault is logged and exits 1."""
    try:
        command()
    except Refused as refused:
        show_refusal(refused)
        return 2
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    except Exception:
        reference = secrets.token_hex(4).upper()
        log.exception("fault %s in a command", reference)
        print(f"The program failed; its log has the cause under {reference}.", file=sys.stderr)
        return 1
    return 0


def show_refusal(refused: Refused) -> None:
    """The sentence of a refusal, and each bad record of a file, on standard error."""
    print(refused.sentence, file=sys.stderr)
    if isinstance(refused, BadFile):
        for record in refused.records:
            print(f"  {record}", file=sys.stderr)
