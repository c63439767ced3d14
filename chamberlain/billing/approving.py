"""Who approves how much: steps by amount, as the city's files give them and tables keep them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chamberlain.identity.models import Role


@dataclass(frozen=True, slots=True)
class Approval:
    """Up to so many cents are approved by one of the roles; without roles by nobody else."""

    up_to_cents: int
    roles: tuple[str, ...]

    @property
    def approvers(self) -> str:
        """The roles as they are said: `clerk or auditor`."""
        return " or ".join(Role(role).label.lower() for role in self.roles)


def kept(approvals: Sequence[Approval]) -> list[dict[str, Any]]:
    """Steps as a table keeps them."""
    return [{"up_to_cents": each.up_to_cents, "roles": list(each.roles)} for each in approvals]


def of_kept(approvals: Sequence[dict[str, Any]]) -> tuple[Approval, ...]:
    """Steps as a table gave them back."""
    return tuple(Approval(each["up_to_cents"], tuple(each["roles"])) for each in approvals)
