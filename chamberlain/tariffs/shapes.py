"""The columns of the frames that rating takes and gives. `rating.rate` says what they hold."""

import polars as pl

USAGES = {
    "row": pl.Int64(),
    "rate_class": pl.String(),
    "meter_size": pl.String(),
    "dwelling_units": pl.Int64(),
    "exemptions": pl.List(pl.String()),
    "attributes": pl.String(),
    "from_on": pl.Date(),
    "to_on": pl.Date(),
    "usage_thousandths": pl.Int64(),
    "unit": pl.String(),
}
LINES = {
    "row": pl.Int64(),
    "component_id": pl.Int64(),
    "position": pl.Int16(),
    "charge_kind": pl.String(),
    "cents": pl.Int64(),
    "quantity_thousandths": pl.Int64(),
    "unit": pl.String(),
    "rate_micros": pl.Int64(),
    "days": pl.Int32(),
    "steps": pl.String(),
}
REFUSALS = {"row": pl.Int64(), "code": pl.String(), "sentence": pl.String()}
