# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module and plugin documents itself, and says what it does in check and diff mode."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "plugins/modules").glob("*.py"))
ACTIONS = sorted((ROOT / "plugins/action").glob("*.py"))
INVENTORIES = sorted((ROOT / "plugins/inventory").glob("*.py"))


def constants(path: Path) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_module_documents_itself(path: Path) -> None:
    texts = constants(path)
    doc = yaml.safe_load(texts["DOCUMENTATION"])
    assert doc["module"] == path.stem
    assert doc["short_description"] and doc["description"] and "options" in doc
    assert {"check_mode", "diff_mode", "platform"} <= doc["attributes"].keys()
    assert all(each["support"] in ("full", "partial", "none") for each in doc["attributes"].values())
    assert f"eyrie.pool.{path.stem}" in texts["EXAMPLES"]
    for key, value in yaml.safe_load(texts["RETURN"]).items():
        assert {"description", "returned", "type", "sample"} <= value.keys(), f"RETURN {key}"


def test_every_action_has_its_module() -> None:
    assert {path.stem for path in ACTIONS} <= {path.stem for path in MODULES}


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.stem)
def test_inventory_plugin_documents_itself(path: Path) -> None:
    doc = yaml.safe_load(constants(path)["DOCUMENTATION"])
    assert doc["name"] == f"eyrie.pool.{path.stem}" or doc["name"] == path.stem
    assert doc["short_description"] and doc["options"]


def filters() -> set[str]:
    """Ask the plugins themselves which filters there are."""
    program = (
        "import importlib, pathlib\n"
        "for path in pathlib.Path('plugins/filter').glob('*.py'):\n"
        "    name = f'ansible_collections.eyrie.pool.plugins.filter.{path.stem}'\n"
        "    print('\\n'.join(importlib.import_module(name).FilterModule().filters()))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
    done = subprocess.run(
        ["python", "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_filters_document_themselves() -> None:
    documented = {path.stem for path in (ROOT / "plugins/filter").glob("*.yml")}
    assert filters() == documented
    for path in (ROOT / "plugins/filter").glob("*.yml"):
        page = yaml.safe_load(path.read_text())
        assert page["DOCUMENTATION"]["name"] == path.stem
        assert f"eyrie.pool.{path.stem}" in page["EXAMPLES"]
        assert page["RETURN"]["_value"]["description"]
