# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be told of the engine's token without the key that signed it: is it one, and is it still valid?"""

from __future__ import annotations

import base64
import binascii
import json
import time
from pathlib import Path
from typing import Any

RENEW = "run site.yml to renew it"
CLOCK_SLACK = 300.0


def token_problem(path: Path, wall: float) -> str:
    """Return why the token cannot serve, empty if it can. Never quotes the token."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return f"there is no token at {path}; run site.yml to make it"
    except (OSError, UnicodeDecodeError) as error:
        return f"the token at {path} cannot be read ({type(error).__name__}); {RENEW}"
    claims = _claims(text)
    if claims is None:
        return f"{path} holds no token; {RENEW}"
    return _time_problem(claims, wall)


def _time_problem(claims: dict[str, Any], wall: float) -> str:
    expires, issued = claims.get("exp"), claims.get("iat")
    if isinstance(expires, (int, float)) and expires <= wall:
        return f"token expired on {_date(expires)}; {RENEW}"
    if isinstance(issued, (int, float)) and issued > wall + CLOCK_SLACK:
        return f"the token is of {_date(issued)}, but this desktop's clock says {_date(wall)}; set the clock"
    return ""


def _claims(text: str) -> dict[str, Any] | None:
    """Return the payload of a JSON web token."""
    parts = text.split(".")
    if len(parts) != 3:
        return None
    try:
        data = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _date(wall: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(wall))
