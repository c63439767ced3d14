from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [("rebilling", "0001_initial"), ("billing", "0002_set_based_references")]

    operations = [
        migrations.RunSQL((_SQL / "indexes.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL((_SQL / "guards.sql").read_text(), migrations.RunSQL.noop),
    ]
