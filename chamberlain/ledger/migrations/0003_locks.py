from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql" / "locks.sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_guards")]

    operations = [
        migrations.RunSQL(_SQL.read_text(), "DROP FUNCTION ledger_lock_balances(bigint[])")
    ]
