"""How faults are written into logs: where and what, without the values of the row."""

import logging


class WithoutValues(logging.Formatter):
    """Leaves out what the database says about a row in its DETAIL, which can be a person's data."""

    def formatException(self, ei: object) -> str:
        """The traceback without lines of DETAIL."""
        written = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join(
            line for line in written.splitlines() if not line.lstrip().startswith("DETAIL:")
        )
