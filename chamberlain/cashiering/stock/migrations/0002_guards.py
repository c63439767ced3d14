from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("stock", "0001_initial"),
        ("cashiering", "0003_guards_and_payment"),
        ("identity", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL((_SQL / "guards.sql").read_text(), migrations.RunSQL.noop),
    ]
