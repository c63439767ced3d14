from django.db import migrations

_KEPT = """
    CREATE TRIGGER cashiering_nosale_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON cashiering_nosale
        FOR EACH STATEMENT EXECUTE FUNCTION cashiering_refuse_change()
"""


class Migration(migrations.Migration):
    dependencies = [("cashiering", "0005_parked_baskets_and_no_sales")]

    operations = [migrations.RunSQL(_KEPT, migrations.RunSQL.noop)]
