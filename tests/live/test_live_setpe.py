# SPDX-License-Identifier: GPL-3.0-or-later
"""Eyrie's judgement of node tables against the genuine setpe, on maps that provoke it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.live.conftest import Site

NODE = "node-4"  # no member of the pool: it has no table yet
MAPS = int(os.environ.get("EYRIE_LIVE_MAPS", "150"))
# The first word on stdin is the own address, or the own number after an N; the map is the rest.
SCRIPT = """
setpe -off 2> /dev/null
cat > /tmp/map
case $OWN in
    N*) setpe -c -p ${OWN#N} -f /tmp/map ;;
    *)
        echo "$OWN $(hostname)" > /etc/hosts
        setpe -c -f /tmp/map
        ;;
esac
"""


def maps() -> ModuleType:
    """The generator of the unit tests."""
    path = Path(__file__).parents[1] / "unit/nodetable/nodetable_maps.py"
    spec = importlib.util.spec_from_file_location("nodetable_maps", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["nodetable_maps"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(1800)
def test_eyrie_judges_any_map_as_the_genuine_setpe_does(site: Site) -> None:
    hosts = site.sh(NODE, "cat /etc/hosts")

    def run_setpe(data: bytes, own: str | int) -> tuple[int, bytes]:
        word = f"N{own}" if isinstance(own, int) else own
        command = [*site.lab.ssh(NODE), "--", f"OWN={word}; {SCRIPT}"]
        done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=120)
        return done.returncode, done.stderr

    try:
        seed = int.from_bytes(os.urandom(4), "big")
        assert list(maps().differences(run_setpe, MAPS, seed)) == [], f"seed {seed}"
    finally:
        site.sh(NODE, f"echo '{hosts}' > /etc/hosts")
