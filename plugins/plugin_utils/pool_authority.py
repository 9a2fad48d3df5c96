# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

from eyrie.credentials.authority import Authority


def read_authority(loader: Any, file: Path) -> Authority | None:
    """Read the pool's authority from the site's secrets, encrypted or not; None where there is none yet.

    A file that the depot made before the hub was there keeps the certificate beside it.
    """
    if not file.exists():
        return None
    data = loader.load_from_file(str(file))
    data = data if isinstance(data, dict) else {}
    beside = file.with_suffix(".pem")
    certificate = data.get("certificate") or (beside.read_text(encoding="utf-8") if beside.exists() else "")
    return Authority(str(certificate), str(data.get("private_key", "")))
