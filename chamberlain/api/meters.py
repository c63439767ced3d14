"""Meters at service points: put in, exchanged, taken out."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import BeforeValidator, ConfigDict, Field

from chamberlain.api.fields import Body, Day, Number, Text, shown, whole
from chamberlain.api.tokens import actor_of_request
from chamberlain.kernel.errors import NotFound
from chamberlain.metering import operations, queries
from chamberlain.registry.queries import service_point_named

router = Router(tags=["Meters"])

Register = Annotated[int, BeforeValidator(whole)]


class MeterIn(Body):
    """A meter that is put in, and what its dials show then."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "serial": "N200417",
                "on": "2026-03-02",
                "size": '5/8"',
                "unit": "ccf",
                "dials": 6,
                "register": 0,
            }
        },
    )

    serial: Text
    on: Day
    size: Text
    unit: Text
    dials: Annotated[int, BeforeValidator(whole)] = Field(6, ge=1, le=12)
    register: Register = Field(0, ge=0, le=10**12)


class ExchangedIn(MeterIn):
    """The new meter, and what the old one showed at last.

    beside: what the meters show that are read together with it, by serial number.
    """

    register: Register = Field(0, ge=0, le=10**12)
    last_register: Register = Field(ge=0, le=10**12)
    beside: dict[str, int] = {}


class RemovedIn(Body):
    """The day on which the meter is taken out, and what it showed at last."""

    on: Day
    last_register: Register = Field(ge=0, le=10**12)
    beside: dict[str, int] = {}


class InstalledOut(Schema):
    """A meter that is or was in; until: the first day after."""

    serial: str
    size: str
    dials: int
    unit: str
    since: date
    until: date | None


@router.get(
    "/service-points/{number}/meters", response=list[InstalledOut], summary="Of a service point"
)
def of_point(request: HttpRequest, number: Number) -> list[InstalledOut]:
    """Meters that are or were at a service point, the latest first."""
    actor_of_request(request).require("account.view")
    return _meters(_point(number))


@router.post(
    "/service-points/{number}/meters", response={201: list[InstalledOut]}, summary="Put a meter in"
)
def install(request: HttpRequest, number: Number, body: MeterIn) -> Status[list[InstalledOut]]:
    """Puts a meter in; a second one while it is in is refused."""
    actor, point = actor_of_request(request), _point(number)
    operations.install_meter(
        actor,
        body.serial,
        point,
        body.on,
        size=body.size,
        unit=body.unit,
        dials=body.dials,
        register=body.register,
    )
    return Status(201, _meters(point))


@router.post(
    "/service-points/{number}/meters/exchange",
    response=list[InstalledOut],
    summary="Exchange a meter",
)
def exchange(request: HttpRequest, number: Number, body: ExchangedIn) -> list[InstalledOut]:
    """Takes the meter out and puts another in; the period stays one read and one bill."""
    actor, point = actor_of_request(request), _point(number)
    operations.exchange_meter(
        actor,
        point,
        body.on,
        last_register=body.last_register,
        serial=body.serial,
        size=body.size,
        unit=body.unit,
        dials=body.dials,
        register=body.register,
        beside=body.beside,
    )
    return _meters(point)


@router.post(
    "/service-points/{number}/meters/remove", response=list[InstalledOut], summary="Take it out"
)
def remove(request: HttpRequest, number: Number, body: RemovedIn) -> list[InstalledOut]:
    """Reads the meter for the last time and takes it out."""
    actor, point = actor_of_request(request), _point(number)
    operations.remove_meter(actor, point, body.on, body.last_register, beside=body.beside)
    return _meters(point)


def _point(code: str) -> int:
    found = service_point_named(code)
    if found is None:
        raise NotFound(f"There is no service point {code}; look at the property.")
    return found


def _meters(point: int) -> list[InstalledOut]:
    return [shown(InstalledOut, row) for row in queries.meters(point)]
