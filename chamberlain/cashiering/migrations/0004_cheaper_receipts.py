from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_RULES = Path(__file__).parents[1] / "sql" / "session_rules.sql"


class Migration(migrations.Migration):

    dependencies = [
        ('cashiering', '0003_guards_and_payment'),
        ('ledger', '0005_cheaper_settling'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='receipt',
            name='number',
            field=models.CharField(max_length=40),
        ),
        migrations.AlterField(
            model_name='receipt',
            name='void_approved_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='receipt',
            constraint=models.UniqueConstraint(fields=('number',), name='one_receipt_of_a_number'),
        ),
        migrations.RunSQL(_RULES.read_text(), migrations.RunSQL.noop),
    ]
