from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("citations", "0001_initial"),
        ("revenue", "0003_taken_back"),
        ("ledger", "0002_guards"),
    ]

    operations = [
        migrations.RunSQL((_SQL / "guards.sql").read_text(), migrations.RunSQL.noop),
    ]
