"""Registering very many at once, as a city's import does: one frame, by COPY, in seconds.

The history of changes has these rows too, as the actor's of the import.
"""

import polars as pl
import psycopg
from django.db import connection, transaction

from chamberlain.identity.actors import Actor
from chamberlain.identity.history import copy_recorded
from chamberlain.kernel.errors import Invalid
from chamberlain.kernel.frames import copy_frame, next_ids
from chamberlain.registry.models import PropertyType

COLUMNS = {
    "number": pl.String,
    "opened_on": pl.Date,
    "kind": pl.String,
    "name": pl.String,
    "phone": pl.String,
    "email": pl.String,
    "parcel_number": pl.String,
    "address": pl.String,
    "postal_code": pl.String,
    "property_type": pl.String,
    "dwelling_units": pl.Int64,
}


def register_many(actor: Actor, households: pl.DataFrame) -> pl.DataFrame:
    """Registers a customer with contacts, a property, its owner and an account for each row.

    households: the columns of COLUMNS; phone (digits) and email may be null. The customer owns
    the whole property and holds the account from `opened_on` on. Returns the frame with
    customer_id, property_id and account_id. Raises Invalid when a number, parcel or type is not
    as it must be; then nothing is registered.
    """
    actor.require("customer.change")
    actor.require("property.change")
    _check(households)
    with transaction.atomic():
        connection.ensure_connection()
        return _copy(actor, connection.connection, households)


def add_service_points(actor: Actor, points: pl.DataFrame) -> pl.DataFrame:
    """Adds service points; points: property_id, code (unique). Returns it with service_point_id."""
    actor.require("property.change")
    with transaction.atomic():
        connection.ensure_connection()
        ids = next_ids(connection.connection, "registry_servicepoint", points.height)
        rows = points.select("property_id", "code").with_columns(id=ids)
        copy_frame(connection.connection, "registry_servicepoint", rows)
    return points.with_columns(service_point_id=ids)


def _check(households: pl.DataFrame) -> None:
    for column in ("number", "parcel_number"):
        repeated = households.filter(pl.col(column).is_duplicated())
        if not repeated.is_empty():
            raise Invalid(
                f"{column} {repeated[column][0]} appears {repeated.height} times; "
                "each may appear once.",
                field=column,
            )
    known = set(PropertyType.objects.values_list("pk", flat=True))
    unknown = sorted(set(households["property_type"].unique()) - known)
    if unknown:
        raise Invalid(
            f"The city has no property type “{unknown[0]}”; add it to the city's file.",
            field="property_type",
        )


def _copy(
    actor: Actor, database: psycopg.Connection[object], households: pl.DataFrame
) -> pl.DataFrame:
    count = households.height
    rows = households.with_columns(
        customer_id=next_ids(database, "registry_customer", count),
        property_id=next_ids(database, "registry_property", count),
        account_id=next_ids(database, "ledger_account", count),
        period=pl.format("[{},)", pl.col("opened_on").dt.to_string("%Y-%m-%d")),
    )
    customers = rows.select(
        "kind", "name", id="customer_id", language=pl.lit("en"), is_paperless=pl.lit(False)
    )
    copy_recorded(actor, "registry_customer", customers)
    copy_recorded(
        actor,
        "registry_property",
        rows.select(
            "parcel_number",
            "address",
            "postal_code",
            "dwelling_units",
            id="property_id",
            property_type_id="property_type",
        ),
    )
    copy_frame(database, "ledger_account", rows.select("number", "opened_on", id="account_id"))
    held = rows.select("account_id", "customer_id", "property_id", "period")
    copy_recorded(
        actor,
        "registry_accountholding",
        held.with_columns(id=next_ids(database, "registry_accountholding", count)),
    )
    owned = rows.select("property_id", "customer_id", "period", share_basis_points=pl.lit(10_000))
    copy_recorded(
        actor,
        "registry_ownership",
        owned.with_columns(id=next_ids(database, "registry_ownership", count)),
    )
    _copy_contacts(actor, database, rows)
    return rows.drop("period")


def _copy_contacts(actor: Actor, database: psycopg.Connection[object], rows: pl.DataFrame) -> None:
    contacts = pl.concat(
        [
            rows.select("customer_id", kind=pl.lit(kind), value=pl.col(kind))
            for kind in ("phone", "email")
        ]
    ).filter(pl.col("value").is_not_null())
    ids = next_ids(database, "registry_contact", contacts.height)
    copy_recorded(actor, "registry_contact", contacts.with_columns(id=ids))
