"""Balances of many accounts look up no ledger account for each transfer any more."""

from pathlib import Path

from django.db import migrations

_GUARDS = Path(__file__).parents[1] / "sql" / "guards.sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_cheaper_settling")]
    operations = [migrations.RunSQL(_GUARDS.read_text(), migrations.RunSQL.noop)]
