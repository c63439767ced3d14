"""Tariffs in the Open Water Rate Specification (OWRS): read, checked and rated.

`read(path)` gives a `Schedule`; `Schedule.rate` prices a frame of usage in unrounded dollars and
`Schedule.rate_exact` in whole numbers for billing; `check(paths)` reports on files. The rules are
those of the format's reference program, RateParser; where it stops with an error or an NA, this
reader refuses the class or leaves the row's bill null, and says why.
"""

from chamberlain.tariffs.owrs.checking import FileReport, check
from chamberlain.tariffs.owrs.faults import (
    CannotCompute,
    Fault,
    MissingColumn,
    TariffFault,
    UnknownClass,
    UnusableColumn,
)
from chamberlain.tariffs.owrs.schedule import Schedule, of_text, read, text_of

__all__ = [
    "CannotCompute",
    "Fault",
    "FileReport",
    "MissingColumn",
    "Schedule",
    "TariffFault",
    "UnknownClass",
    "UnusableColumn",
    "check",
    "of_text",
    "read",
    "text_of",
]
