from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql" / "matches.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("reconciliation", "0004_matches_of_many"),
        ("returned", "0002_guards"),
    ]

    operations = [migrations.RunSQL(_SQL.read_text(), migrations.RunSQL.noop)]
