"""A fault in the log says where it happened and not whose data it was."""

import logging

import pytest
from django.db import IntegrityError, transaction

from chamberlain.identity.models import User
from chamberlain.kernel.logs import WithoutValues


@pytest.mark.django_db
def test_the_values_of_a_refused_row_stay_out_of_the_log() -> None:
    name = ".".join(("maria", "lopez"))
    User.objects.create(username=name)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        User.objects.create(username=name)
    fault = caught.value
    record = logging.LogRecord("chamberlain", logging.ERROR, __file__, 1, "Fault %s", ("F-1",),
                               (type(fault), fault, fault.__traceback__))  # fmt: skip
    written = WithoutValues("%(message)s").format(record)
    assert name in str(fault)
    assert name not in written
    assert "identity_user_username_key" in written
