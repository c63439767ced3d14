from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_GUARDS = Path(__file__).parents[1] / "sql" / "guards.sql"


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0004_set_based_references'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='entry',
            name='idempotency_key',
            field=models.CharField(max_length=64, null=True),
        ),
        migrations.AlterField(
            model_name='settlement',
            name='charge',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='ledger.charge'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.UniqueConstraint(fields=('idempotency_key',), name='one_entry_of_a_key'),
        ),
        migrations.RunSQL(_GUARDS.read_text(), migrations.RunSQL.noop),
    ]
