"""Units of volume, converted exactly.

Every unit is a rational number of cubic inches: a US gallon is 231 of them and a cubic foot 1,728
(NIST Handbook 44, appendix C); an inch is 2.54 centimetres exactly, which gives the kilolitre.
"""

from fractions import Fraction

_CUBIC_CENTIMETRES_IN_A_CUBIC_INCH = Fraction(254, 100) ** 3

CUBIC_INCHES = {
    "ccf": Fraction(100 * 1728),
    "mcf": Fraction(1000 * 1728),
    "kgal": Fraction(1000 * 231),
    "gal": Fraction(231),
    "kl": 1_000_000 / _CUBIC_CENTIMETRES_IN_A_CUBIC_INCH,
}

UNIT_NAMES = {
    "ccf": "hundred cubic feet",
    "mcf": "thousand cubic feet",
    "kgal": "thousand gallons",
    "gal": "gallons",
    "kl": "kilolitres",
}


def factor(of: str, to: str) -> Fraction:
    """How many `to` one `of` is: `factor("ccf", "gal")` is 748 + 4/77. Raises KeyError."""
    return CUBIC_INCHES[of] / CUBIC_INCHES[to]
