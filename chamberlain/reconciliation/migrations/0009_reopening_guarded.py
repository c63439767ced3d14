from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql" / "reopening.sql"


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0008_reopening")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
