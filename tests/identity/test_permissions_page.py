"""docs/permissions.md says what the program does."""

import re
from pathlib import Path

from chamberlain.identity.models import Role
from chamberlain.identity.permissions import PERMISSIONS

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
_ROW = re.compile(r"^\| `([a-z_.]+)` \| (.+) \| (.+) \|$", re.MULTILINE)


def test_every_permission_is_documented_with_its_roles() -> None:
    written = {name: roles for name, _, roles in _ROW.findall(PAGE.read_text())}
    assert written == {
        name: ", ".join(role.label.lower() for role in Role if role in roles)
        for name, roles in PERMISSIONS.items()
    }
