from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [("certificates", "0001_initial"), ("ledger", "0003_locks")]

    operations = [
        migrations.RunSQL((_SQL / "guards.sql").read_text(), migrations.RunSQL.noop),
    ]
