from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [("checks", "0001_initial"), ("cashiering", "0003_guards_and_payment")]

    operations = [
        migrations.RunSQL((_SQL / "guards.sql").read_text(), migrations.RunSQL.noop),
    ]
