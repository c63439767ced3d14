"""Search by words and digits instead of trigrams over whole names: see docs/decisions."""

from pathlib import Path

from django.db import migrations, models

import django.contrib.postgres.indexes

_SQL = (Path(__file__).parents[1] / "sql" / "search.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial"), ("ledger", "0001_initial")]

    operations = [
        migrations.RemoveIndex(model_name="customer", name="customer_name_trigrams"),
        migrations.RemoveIndex(model_name="property", name="property_address_trigrams"),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=40)),
                ("is_name", models.BooleanField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="searchword",
            constraint=models.UniqueConstraint(
                fields=("word", "is_name"), name="search_word_once"
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["word"], name="search_word_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="searchword",
            index=models.Index(
                fields=["word"], name="search_word_beginning", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.RunSQL(_SQL, migrations.RunSQL.noop),
    ]
