from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql" / "guards.sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
