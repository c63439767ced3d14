from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [("adjusting", "0004_refunds")]

    operations = [
        migrations.RunSQL((_SQL / "refunds.sql").read_text(), migrations.RunSQL.noop),
    ]
