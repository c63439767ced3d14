from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql" / "guards.sql"


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0002_statements_and_accounts")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
