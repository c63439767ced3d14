from django.apps import AppConfig


class Identity(AppConfig):
    name = "chamberlain.identity"

    def ready(self) -> None:
        """A password that its owner chose needs no change any more."""
        from allauth.account import signals  # noqa: PLC0415 - models are ready only now

        from chamberlain.identity.sign_in import password_was_changed  # noqa: PLC0415

        signals.password_changed.connect(password_was_changed)
