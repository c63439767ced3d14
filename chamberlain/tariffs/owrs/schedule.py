"""A tariff file as a schedule of rates: read it, look at it, rate by it."""

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from stat import S_ISREG
from types import MappingProxyType

import polars as pl

from chamberlain.tariffs.owrs import exact, yaml_tree
from chamberlain.tariffs.owrs.arithmetic import A, Arithmetic, Exact, Floating, Floats, Fractions
from chamberlain.tariffs.owrs.customer_class import CustomerClass, compile_class
from chamberlain.tariffs.owrs.faults import Fault, Flaw, TariffFault, UnknownClass
from chamberlain.tariffs.owrs.rating import Rating
from chamberlain.tariffs.owrs.yaml_tree import Listing, Mapping, Node, Scalar

BYTES_MAX = 2_000_000
CLASSES_MAX = 200
_SECTIONS = ("metadata", "rate_structure", "author_info", "capacity_charge")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The tariff of one utility from one day on.

    metadata: as written, typed as YAML types it. classes: the customer classes that can be rated.
    faults: what is wrong in the file; a class that is not in `classes` has its fault here.
    """

    path: Path
    metadata: dict[str, object]
    faults: tuple[Fault, ...]
    _classes: Map[str, CustomerClass] = field(repr=False)
    _refused: Map[str, tuple[Fault, ...]] = field(repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """The customer classes that can be rated, in the file's order."""
        return tuple(self._classes)

    @property
    def effective_date(self) -> date | None:
        """The first day of the tariff; the file says year-month-day or month/day/year."""
        return _date(self.metadata.get("effective_date"))

    @property
    def bill_unit(self) -> str:
        """What `usage_ccf` counts: `ccf` unless the file says otherwise."""
        return str(self.metadata.get("bill_unit") or "ccf").lower()

    def required_columns(self, customer_class: str) -> tuple[str, ...]:
        """The columns that the data need for a class's bill. Raises UnknownClass, TariffFault."""
        return self._class(customer_class).columns

    def bill_parts(self, customer_class: str) -> tuple[str, ...]:
        """The columns that a class's bill is the plain sum of; `("bill",)` when it is none.

        Raises UnknownClass, TariffFault.
        """
        return self._class(customer_class).bill_parts()

    def lines(self, customer_class: str) -> dict[str, int]:
        """The fields of a class with their lines in the file, for whoever cites the source."""
        return {name: each.line for name, each in self._class(customer_class).fields.items()}

    def rate(
        self, customer_class: str, frame: pl.DataFrame, *, own_tiers: bool = False
    ) -> pl.DataFrame:
        """The frame with the class's charges and its bill, in unrounded dollars (Float64).

        These are the figures of the format's reference program, for comparing with it: where the
        tiers depend on a column, it shows a row the tiers of another (see `reference_order`).
        own_tiers: each row has the figures of its own tiers, as `rate_exact` and billing have.

        frame: one row for each bill, with the columns of `required_columns`; `usage_ccf` is in the
        file's billing unit. Rows, order and columns stay. Added: every field that the data suffice
        for; where the class is tiered X1…Xn (units in each tier) and XR1…XRn (dollars in each);
        `bill`. A row that cannot be priced has a null bill; `problems` says why.
        Raises UnknownClass, TariffFault, MissingColumn, UnusableColumn, CannotCompute.
        """
        rating: Rating[Floating] = self._rating(
            customer_class, frame, Floats(), in_reference_order=not own_tiers
        )
        added: list[pl.Expr] = []
        for name, column in rating.shown():
            steps = rating.steps.get(name, ())
            suffix = rating.tier_columns(name)
            for letter, amounts in (
                ("X", [step.units for step in steps]),
                ("XR", [step.money for step in steps]),
            ):
                for number, amount in enumerate(amounts, 1):
                    added.append(amount.expr.alias(f"{letter}{number}{suffix}"))
            added.append(rating.amounts[name].expr.alias(column))
        return frame.with_columns(rating.work.select(added))

    def rate_exact(self, customer_class: str, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the class's charges and its bill in whole numbers (Int64).

        Computed in whole numbers and fractions, so that half a cent is half a cent. Added for each
        field `<field>_cents`, rounded half up once from the exact amount, and `<field>_micros`
        (millionths of a dollar), `bill` among them; for each tier `Xn_thousandths` of a unit, its
        price `Pn_micros`, and `XRn_micros`. A figure with more than six decimals is rounded half
        up to micros, so cents come from `<field>_cents`, never from rounding micros again.
        Raises as `rate` does, and CannotCompute for what has no exact result: division by a column,
        powers other than small whole ones, usage in parts below a thousandth.
        """
        rating: Rating[Exact] = self._rating(customer_class, frame, Fractions())
        return frame.with_columns(exact.columns(rating))

    def problems(self, customer_class: str, frame: pl.DataFrame) -> pl.Series:
        """For each row why it has no bill (String), or null. Raises as `rate` does."""
        rating: Rating[Floating] = self._rating(customer_class, frame, Floats())
        why: pl.Expr = pl.lit("the formula has no result for these figures")
        for condition, reason in reversed(rating.reasons):
            why = pl.when(condition).then(reason).otherwise(why)
        has_none = rating.amounts["bill"].expr.is_null()
        problem = pl.when(has_none).then(why).cast(pl.String).alias("problem")
        return rating.work.with_columns(problem)["problem"]

    def _rating(
        self,
        customer_class: str,
        frame: pl.DataFrame,
        arithmetic: Arithmetic[A],
        *,
        in_reference_order: bool = False,
    ) -> Rating[A]:
        rating = Rating(
            self.path,
            self._class(customer_class),
            frame,
            arithmetic,
            in_reference_order=in_reference_order,
        )
        rating.run()
        return rating

    def _class(self, name: str) -> CustomerClass:
        if name in self._refused:
            raise TariffFault(self.path, self._refused[name])
        if name not in self._classes:
            known = ", ".join(self.classes)
            raise UnknownClass(f"{self.path}: no class {name}; it has {known}.", field="class")
        return self._classes[name]


def read(path: str | Path) -> Schedule:
    """The schedule in an OWRS file.

    Raises TariffFault when the file is not valid YAML, has a key twice, or has no class that can be
    rated; one faulty class does not hold back the others.
    """
    path = Path(path)
    try:
        text = text_of(path)
    except Flaw as flaw:
        place = f"line {flaw.line}" if flaw.line else "file"
        raise TariffFault(path, [Fault(place, flaw.reason)]) from None
    return of_text(text, path)


def of_text(text: str, path: Path) -> Schedule:
    """`read`, of a text that is at hand; `path` names it in messages. Raises TariffFault."""
    try:
        return _schedule(path, yaml_tree.parse(text))
    except Flaw as flaw:
        place = f"line {flaw.line}" if flaw.line else "file"
        raise TariffFault(path, [Fault(place, flaw.reason)]) from None


def text_of(path: Path) -> str:
    """The text of a file. Raises Flaw when it is not there, too large, or no UTF-8 text."""
    try:
        # A pipe or a terminal would keep the reader waiting.
        if not S_ISREG(path.stat().st_mode):
            raise Flaw("is not a file but a directory or a device")
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        raise Flaw("there is no such file") from None
    except (OSError, ValueError) as error:
        raise Flaw(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > BYTES_MAX:
        raise Flaw(f"is larger than {BYTES_MAX:,} bytes, which no tariff is")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Flaw("is not UTF-8 text", line) from None
    if not text.strip():
        raise Flaw("the file is empty", 1)
    return text


def _schedule(path: Path, root: Node) -> Schedule:
    if not isinstance(root, Mapping):
        raise Flaw("is no map with metadata and rate_structure", root.line)
    structure = root.entries.get("rate_structure")
    if not isinstance(structure, Mapping) or not structure.entries:
        line = root.lines.get("rate_structure", root.line)
        raise Flaw("rate_structure is missing, or has no customer classes", line)
    if len(structure.entries) > CLASSES_MAX:
        raise Flaw(f"has more than {CLASSES_MAX} customer classes", structure.line)
    metadata = root.entries.get("metadata")
    if not isinstance(metadata, Mapping):
        raise Flaw("metadata is missing", root.lines.get("metadata", root.line))
    faults = [
        Fault(f"line {line}", f"“{key}” stands outside rate_structure, where nothing reads it")
        for key, line in root.lines.items()
        if key not in _SECTIONS
    ]
    classes: dict[str, CustomerClass] = {}
    refused: dict[str, tuple[Fault, ...]] = {}
    for name, node in structure.entries.items():
        compiled, found = compile_class(name, _at(node, structure.lines[name]))
        faults += found
        if compiled is None:
            refused[name] = tuple(found)
        else:
            classes[name] = compiled
    if not classes:
        raise TariffFault(path, faults)
    known = yaml_tree.plain(metadata)
    assert isinstance(known, dict)
    return Schedule(
        path, known, tuple(faults), MappingProxyType(classes), MappingProxyType(refused)
    )


def _at(node: Node, line: int) -> Node:
    """The node with the line of its key, where a person looks for it."""
    if isinstance(node, Mapping):
        return Mapping(node.entries, node.lines, line)
    if isinstance(node, Listing):
        return Listing(node.items, line)
    return Scalar(node.text, line, node.quoted)


def _date(value: object) -> date | None:
    if isinstance(value, date):
        return value
    parts = str(value or "").split("/")
    if len(parts) != 3 or not all(part.strip().isdigit() for part in parts):
        return None
    month, day, year = (int(part) for part in parts)
    try:
        return date(year, month, day)
    except ValueError:
        return None
