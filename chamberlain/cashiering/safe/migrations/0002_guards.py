from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql" / "guards.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("safe", "0001_initial"),
        ("cashiering", "0006_no_sales_kept"),
    ]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
