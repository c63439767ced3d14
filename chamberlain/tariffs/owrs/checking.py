"""Every tariff file of a list of files and directories, read and reported on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from chamberlain.tariffs.owrs.faults import Fault, TariffFault
from chamberlain.tariffs.owrs.schedule import read


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file. classes: those that can be rated. faults: all that is wrong, in file order."""

    path: Path
    classes: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def is_readable(self) -> bool:
        """Whether at least one class can be rated."""
        return bool(self.classes)

    @property
    def is_ok(self) -> bool:
        """Whether every class can be rated and nothing is wrong."""
        return self.is_readable and not self.faults


def check(paths: Iterable[str | Path]) -> list[FileReport]:
    """A report for each file; a directory stands for every *.owrs below it. Raises nothing."""
    return [_report(path) for given in paths for path in _files(Path(given))]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = sorted(each for each in path.rglob("*.owrs") if each.is_file())
    yield from found or [path]


def _report(path: Path) -> FileReport:
    if path.is_dir():
        return FileReport(path, (), (Fault("directory", "holds no *.owrs files"),))
    try:
        schedule = read(path)
    except TariffFault as fault:
        return FileReport(path, (), fault.faults)
    return FileReport(path, schedule.classes, schedule.faults)
