from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("cashiering", "0002_drawers_voids_drops"),
        ("ledger", "0002_guards"),
    ]

    operations = [
        migrations.RunSQL((_SQL / "guards.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL((_SQL / "payment.sql").read_text(), migrations.RunSQL.noop),
    ]
