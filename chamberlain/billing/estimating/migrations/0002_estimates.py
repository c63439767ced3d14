from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [("estimating", "0001_initial"), ("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL((_SQL / "estimates.sql").read_text(), migrations.RunSQL.noop),
    ]
