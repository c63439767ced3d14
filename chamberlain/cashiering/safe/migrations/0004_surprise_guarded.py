from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql" / "surprise.sql"


class Migration(migrations.Migration):
    dependencies = [("safe", "0003_surprise_counts")]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
