from pathlib import Path

from django.db import migrations

_SQL = Path(__file__).parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [("rebilling", "0003_city")]

    operations = [
        migrations.RunSQL((_SQL / "city.sql").read_text(), migrations.RunSQL.noop),
    ]
