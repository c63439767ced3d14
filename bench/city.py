"""A city of a million accounts, made inside the database in seconds.

Each account has a customer with a phone, who owns a property with a service point, a meter, an
agreement under one tariff and one read of two months. Names, streets and usage are drawn by a
hash of the account's place in line, so that a city is the same each time.

Exclusions, foreign keys and plain indexes are taken off while the rows go in, and are put on
again (and so checked) before `build` returns; the history of changes is not written.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import sql

from bench.room import Room

TARIFF = "chicago-metered"
RATE_CLASS = "commercial"
METER_UNIT = "mcf"
FIRST = date(2026, 1, 1)
READ_ON = date(2026, 3, 1)
FIRST_NUMBER = 20_000_001

FIRST_NAMES = (
    "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara "
    "Richard Susan Joseph Jessica Thomas Karen Carlos Rosa Piotr Agnieszka Wei Mei Ahmed Fatima "
    "Kwame Imani Dmitri Olga Rajesh Priya"
)
LAST_NAMES = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez "
    "Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris "
    "Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill "
    "Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Kowalski Nowak "
    "Okafor Mensah Singh Khan Novak Horvat Murphy Kelly Sullivan Schmidt Wagner Meyer"
)
STREETS = (
    "Ashland Belmont Broadway Clark Damen Devon Diversey Division Elston Fullerton Grand Halsted "
    "Harlem Irving Kedzie Kimball Lawrence Lincoln Madison Milwaukee Montrose Narragansett "
    "Pulaski Racine Roosevelt Sheridan State Touhy Wabash Western Wilson Wrightwood"
)


@dataclass(frozen=True, slots=True)
class City:
    """What was built. Accounts are numbered from FIRST_NUMBER on, without a gap."""

    accounts: int
    tariff_code: str
    center_id: int
    business_day_id: int


_TABLES: dict[str, str] = {
    "ledger_account": """
        (id, number, opened_on)
        SELECT i, (20000000 + i)::text, date '2020-01-01' FROM generate_series(1, {n}) i""",
    "registry_customer": """
        (id, kind, name, language)
        SELECT i, 'person', f[1 + h % {firsts}] || ' ' || l[1 + h / 64 % {lasts}], 'en'
        FROM generate_series(1, {n}) i, LATERAL (SELECT abs(hashint8(i)::bigint) AS h) d,
            string_to_array({first}, ' ') f, string_to_array({last}, ' ') l""",
    "registry_contact": """
        (id, customer_id, kind, value)
        SELECT i, i, 'phone', (3120000000 + i)::text FROM generate_series(1, {n}) i""",
    "registry_property": """
        (id, parcel_number, address, postal_code, property_type_id, dwelling_units)
        SELECT i, (10000000000000 + i)::text, (1 + i % 9900)::text || ' '
            || (ARRAY['N', 'S', 'E', 'W'])[1 + h % 4] || ' ' || s[1 + h / 4 % {streets}]
            || ' Ave', (60601 + h % 60)::text, 'house', 1 + h / 1000 % 3
        FROM generate_series(1, {n}) i, LATERAL (SELECT abs(hashint8(i + 7)::bigint) AS h) d,
            string_to_array({street}, ' ') s""",
    "registry_ownership": """
        (id, property_id, customer_id, share_basis_points, period)
        SELECT i, i, i, 10000, '[2020-01-01,)' FROM generate_series(1, {n}) i""",
    "registry_accountholding": """
        (id, account_id, customer_id, property_id, period)
        SELECT i, i, i, i, '[2020-01-01,)' FROM generate_series(1, {n}) i""",
    "registry_servicepoint": """
        (id, property_id, code) SELECT i, i, 'SP' || i FROM generate_series(1, {n}) i""",
    "metering_meter": """
        (id, serial, size, dials, unit)
        SELECT i, 'M' || i, '5/8"', 6, {unit} FROM generate_series(1, {n}) i""",
    "metering_installation": """
        (id, meter_id, service_point_id, period, register_at_start)
        SELECT i, i, i, '[2020-01-01,)', 0 FROM generate_series(1, {n}) i""",
    "billing_serviceagreement": """
        (id, account_id, service_point_id, tariff_id, rate_class, is_metered, meter_size,
         dwelling_units, exemptions, attributes, normal_daily_thousandths, cycle_months, period)
        SELECT i, i, i, {tariff}, {rate_class}, true, '5/8"', 1, '{{}}', '{{}}', NULL, 2,
            '[2020-01-01,)'
        FROM generate_series(1, {n}) i""",
    "metering_read": """
        (id, service_point_id, meter_id, from_on, to_on, register, usage_thousandths, unit, quality,
         is_verified, source)
        SELECT i, i, i, {from_on}, {to_on}, u, u, {unit}, 'actual', true, 'bench:' || i
        FROM generate_series(1, {n}) i,
            LATERAL (SELECT 100 * (2 + abs(hashint8(i + 3)::bigint) % 23) AS u) d""",
}


def build(room: Room, accounts: int | None = None) -> City:
    """Fills the room's newest database with a city of so many accounts, the room's own number
    without one, under the metered tariff of Chicago."""
    from chamberlain.cities.loading import city_folder, load_city
    from chamberlain.identity.actors import program_actor

    count = accounts or room.accounts
    load_city(program_actor(), city_folder("chicago"), datetime.now(UTC))
    with room.connect(owner=True) as owner:
        owner.execute("SET work_mem = '256MB'")
        owner.execute("SET maintenance_work_mem = '1GB'")
        found = owner.execute("SELECT id FROM tariffs_tariff WHERE code = %s", [TARIFF]).fetchone()
        assert found is not None
        owner.execute(
            "INSERT INTO registry_propertytype (code, name) VALUES ('house', 'House') "
            "ON CONFLICT DO NOTHING"
        )
        _fill(owner, count, int(found[0]), RATE_CLASS, METER_UNIT)
        center_id, day_id = _open_revenue_office(owner)
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")
    return City(count, TARIFF, center_id, day_id)


def _fill(
    owner: psycopg.Connection[Any], accounts: int, tariff_id: int, rate_class: str, unit: str
) -> None:
    values = {
        "n": sql.Literal(accounts),
        "tariff": sql.Literal(tariff_id),
        "rate_class": sql.Literal(rate_class),
        "unit": sql.Literal(unit),
        "from_on": sql.Literal(FIRST),
        "to_on": sql.Literal(READ_ON),
        "first": sql.Literal(FIRST_NAMES),
        "last": sql.Literal(LAST_NAMES),
        "street": sql.Literal(STREETS),
        "firsts": sql.Literal(len(FIRST_NAMES.split())),
        "lasts": sql.Literal(len(LAST_NAMES.split())),
        "streets": sql.Literal(len(STREETS.split())),
    }
    for table, columns_and_rows in _TABLES.items():
        name = sql.Identifier(table)
        constraints = _take_off_constraints(owner, table)
        indexes = _take_off_indexes(owner, table)
        history = _history_triggers(owner, table)
        for trigger in history:
            owner.execute(
                sql.SQL("ALTER TABLE {} DISABLE TRIGGER {}").format(name, sql.Identifier(trigger))
            )
        statement = sql.SQL("INSERT INTO {} ").format(name)
        owner.execute(statement + sql.SQL(columns_and_rows).format(**values))
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for trigger in history:
            owner.execute(
                sql.SQL("ALTER TABLE {} ENABLE TRIGGER {}").format(name, sql.Identifier(trigger))
            )
        for definition in [*constraints, *indexes]:
            owner.execute(definition.encode())
        owner.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), {})").format(
                sql.Literal(table), values["n"]
            )
        )


def _take_off_constraints(owner: psycopg.Connection[Any], table: str) -> list[str]:
    """Drops the exclusions and foreign keys of a table; returns the statements that put them on."""
    rows = owner.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = %s::regclass AND contype IN ('x', 'f')",
        [table],
    ).fetchall()
    for name, _ in rows:
        owner.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                sql.Identifier(table), sql.Identifier(name)
            )
        )
    return [f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {text}' for name, text in rows]


def _take_off_indexes(owner: psycopg.Connection[Any], table: str) -> list[str]:
    """Drops the indexes of a table that stand for no constraint; returns what makes them."""
    rows = owner.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
        "WHERE i.indrelid = %s::regclass AND NOT i.indisunique AND NOT i.indisexclusion",
        [table],
    ).fetchall()
    for name, _ in rows:
        owner.execute(f"DROP INDEX {name}".encode())
    return [text for _, text in rows]


def _history_triggers(owner: psycopg.Connection[Any], table: str) -> list[str]:
    rows = owner.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal "
        "AND tgname LIKE 'pgtrigger_%%'",
        [table],
    ).fetchall()
    return [str(row[0]) for row in rows]


def _open_revenue_office(owner: psycopg.Connection[Any]) -> tuple[int, int]:
    """The revenue office and its business day on the day of the reads; made when missing."""
    user = owner.execute("SELECT min(id) FROM identity_user").fetchone()
    assert user is not None
    center = owner.execute(
        "SELECT id FROM identity_center WHERE kind = 'revenue_office' ORDER BY id LIMIT 1"
    ).fetchone()
    if center is None:
        center = owner.execute(
            "INSERT INTO identity_center (code, name, kind, address, phone) "
            "VALUES ('REV', 'Revenue office', 'revenue_office', '', '') RETURNING id"
        ).fetchone()
    assert center is not None
    day = owner.execute(
        "INSERT INTO ledger_businessday (center_id, day, opened_at, opened_by_id) "
        "VALUES (%s, %s, now(), %s) RETURNING id",
        [center[0], READ_ON, user[0]],
    ).fetchone()
    assert day is not None
    return int(center[0]), int(day[0])
