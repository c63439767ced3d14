"""The check service of the city: asked over HTTP whether a check is thought to be good.

`POST /v1/verifications` with `Authorization: Bearer SECRET` and the JSON `reference`, `routing`,
`account`, `number`, `amount` in cents. The answer is `{"answer": "accept" | "refer" | "decline",
"code": …, "reference": …}`; the same reference gets the same answer.
"""

from dataclasses import dataclass

import requests
from django.conf import settings

from chamberlain.cashiering.checks.bank_line import BankLine

ACCEPT, REFER, DECLINE, UNREACHABLE = "accept", "refer", "decline", "unreachable"
_TIMEOUT_SECONDS = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said: ACCEPT, REFER, DECLINE, or UNREACHABLE when it said nothing."""

    answer: str
    code: str = ""
    reference: str = ""


def verify(line: BankLine, cents: int, reference: str) -> Answer:
    """Asks about a check. Whatever is no answer as agreed counts as unreachable."""
    address = str(settings.CHECK_SERVICE_URL)
    if not address:
        return Answer(UNREACHABLE)
    try:
        response = requests.post(
            f"{address.rstrip('/')}/v1/verifications",
            json={
                "reference": reference,
                "routing": line.routing,
                "account": line.account,
                "number": line.number,
                "amount": cents,
            },
            headers={"Authorization": f"Bearer {settings.CHECK_SERVICE_SECRET}"},
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        response.raise_for_status()
        said = response.json()
        found = Answer(
            str(said["answer"]), str(said.get("code", ""))[:12], str(said.get("reference", ""))[:40]
        )
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError):
        return Answer(UNREACHABLE)
    return found if found.answer in (ACCEPT, REFER, DECLINE) else Answer(UNREACHABLE)
