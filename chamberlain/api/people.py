"""A customer as a body names one: on file by an account, or somebody new."""

from typing import Literal

from pydantic import ConfigDict

from chamberlain.api.fields import AccountNumber, Body, Code, Text
from chamberlain.kernel.errors import Invalid
from chamberlain.registry.operations import NewCustomer
from chamberlain.registry.queries import account_summary


class CustomerIn(Body):
    """`account` of somebody who is a customer already, or `name` of somebody new, not both."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "Irene Castellanos", "language": "es"}},
    )

    account: AccountNumber | None = None
    name: Text | None = None
    kind: Literal["person", "organization"] = "person"
    language: Code = "en"

    def somebody(self) -> int | NewCustomer:
        """Who is meant. Raises NotFound for an unknown account, Invalid when neither or both."""
        if (self.account is None) == (self.name is None):
            raise Invalid(
                "Give the account of a customer on file or the name of a new one, one of the two.",
                field="name",
            )
        if self.name is not None:
            return NewCustomer(self.name, self.kind, self.language)
        assert self.account is not None
        found = account_summary(self.account)
        if found.customer_id is None:
            raise Invalid("Nobody ever held this account; give another one.", field="account")
        return found.customer_id
