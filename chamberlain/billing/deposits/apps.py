from django.apps import AppConfig


class Deposits(AppConfig):
    name = "chamberlain.billing.deposits"
    label = "deposits"

    def ready(self) -> None:
        """The ledger's proof covers what is held."""
        from chamberlain.billing.deposits.proof import CHECKS  # noqa: PLC0415 - models are ready only now
        from chamberlain.ledger import proof  # noqa: PLC0415

        proof.CHECKS.update(CHECKS)
