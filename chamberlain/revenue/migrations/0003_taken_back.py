from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("revenue", "0002_fees")]

    operations = [
        migrations.AddField(
            model_name="obligation",
            name="is_taken_back",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunSQL("CREATE SEQUENCE revenue_number", "DROP SEQUENCE revenue_number"),
    ]
