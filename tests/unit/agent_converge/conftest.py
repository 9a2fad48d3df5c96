# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from converge_world import Depot, Desktop


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    depot = Depot(tmp_path)
    yield Desktop(tmp_path, depot)
    depot.close()
