# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for every role: one list of variables, generated defaults and README, a way out, a scenario."""

from __future__ import annotations

import importlib.util
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from aar_doc.cli import app as aar_doc
from typer.testing import CliRunner

from eyrie.inventory.specs import read_specs
from eyrie.inventory.validate import Host, unknown_variables
from eyrie.inventory.variables import FORMS, RANGES, faults

ROOT = Path(__file__).parents[2]
ROLES = sorted(path.parents[1] for path in (ROOT / "roles").glob("*/tasks/main.yml"))
SPECS = read_specs(ROOT / "roles")
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KNOWN = frozenset(name for spec in SPECS.values() for name in spec.variables)
# What Jinja evaluates: braces, blocks, and conditions that stand without them.
EXPRESSION = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|(?:when|until|changed_when|failed_when|that):[^\n]*", re.DOTALL
)

for_each_role = pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)


@cache
def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)


@for_each_role
def test_defaults_and_readme_are_what_the_spec_generates(
    role: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "roles" / role.name
    shutil.copytree(role, copy)
    shutil.copy(ROOT / "galaxy.yml", tmp_path)
    monkeypatch.chdir(tmp_path)  # where aar-doc looks for a configuration
    for what in ("defaults", "markdown"):
        done = CliRunner().invoke(aar_doc, [str(copy), what])
        assert done.exit_code == 0, done.output
    for name in ("defaults/main.yml", "README.md"):
        assert (role / name).read_text() == (copy / name).read_text(), (
            f"roles/{role.name}/{name} is not what meta/argument_specs.yml generates. "
            f"Next: aar-doc roles/{role.name} defaults, then aar-doc roles/{role.name} markdown"
        )


@for_each_role
def test_spec_describes_every_entry_point(role: Path) -> None:
    entries = load(role / "meta/argument_specs.yml")["argument_specs"]
    assert {"main", "absent"} <= entries.keys()
    for name, entry in entries.items():
        assert (role / "tasks" / f"{name}.yml").is_file(), f"entry point {name} has no tasks"
        assert entry["short_description"] and entry["description"]
        for option, spec in (entry.get("options") or {}).items():
            assert option.startswith(f"{role.name}_"), f"{option} lacks the role's prefix"
            assert spec.get("description") and spec.get("type"), f"{option} lacks a description or a type"


@for_each_role
def test_role_can_take_its_host_out_again(role: Path) -> None:
    assert load(role / "tasks/absent.yml"), f"role {role.name} has no way out of the pool"


@cache
def roles_used(playbook: Path) -> set[str]:
    """Return the roles that a playbook, or one that it imports, names."""
    text = playbook.read_text(encoding="utf-8")
    imported = re.findall(r"import_playbook: (\S+)", text)
    return set(re.findall(r"eyrie\.pool\.(\w+)", text)).union(
        *(roles_used(playbook.parent / path) for path in imported)
    )


@for_each_role
def test_role_has_a_scenario(role: Path) -> None:
    converged = {name for path in (ROOT / "molecule").glob("*/converge.yml") for name in roles_used(path)}
    assert role.name in converged, f"no molecule/*/converge.yml uses eyrie.pool.{role.name}"


@for_each_role
def test_role_reads_only_variables_that_a_spec_knows(role: Path) -> None:
    """What a role registers or derives begins with two underscores: the rest is input, and has a spec."""
    folders = ("tasks", "handlers", "vars", "templates")
    for path in (path for folder in folders for path in role.glob(f"{folder}/*")):
        expressions = " ".join(EXPRESSION.findall(path.read_text(encoding="utf-8")))
        names = set(re.findall(r"(?<![\w.'\"])[a-z]\w+", expressions))
        assert unknown_variables(names, KNOWN, SPECS.keys()) == [], path


@for_each_role
def test_sets_are_sorted_before_they_are_written(role: Path) -> None:
    """The members of a set come in another order each time: a file would change with each run."""
    for path in [*role.glob("templates/*"), *role.glob("vars/*")]:
        for expression in EXPRESSION.findall(path.read_text(encoding="utf-8")):
            sets = re.search(r"\|\s*(union|intersect|difference|symmetric_difference)\b", expression)
            assert not sets or re.search(r"\|\s*sort\b", expression[sets.end() :]), f"{path}: {expression}"


def inventories() -> list[Path]:
    return [path for path in (ROOT / "inventory").rglob("*.yml") if "secrets" not in path.parts]


def scenarios_and_playbooks() -> list[Path]:
    return [
        *(ROOT / "playbooks").glob("*.yml"),
        *(ROOT / "molecule").rglob("*.yml"),
        *(ROOT / ".config").rglob("*.yml"),
    ]


def keys(node: Any) -> set[str]:
    """Collect every mapping key of a document, however deep."""
    if isinstance(node, dict):
        return {str(key) for key in node}.union(*map(keys, node.values()))
    return set().union(*map(keys, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize(
    "path", inventories() + scenarios_and_playbooks(), ids=lambda path: str(path.relative_to(ROOT))
)
def test_variables_are_known(path: Path) -> None:
    groups = {"guest_image", "guest_qemu", "colinux_hours"}
    assert unknown_variables(keys(load(path)) - groups, KNOWN, SPECS.keys()) == []


def test_rules_about_values_speak_of_variables_there_are() -> None:
    assert RANGES.keys() | FORMS.keys() <= KNOWN


def test_defaults_obey_the_rules() -> None:
    for role in ROLES:
        plain = {
            name: value
            for name, value in (load(role / "defaults/main.yml") or {}).items()
            if not (isinstance(value, str) and "{{" in value)
        }
        assert [str(each) for each in faults(plain)] == []


def test_every_number_has_a_range() -> None:
    numbers = {
        name
        for spec in SPECS.values()
        for name, option in spec.options.items()
        if option["type"] in ("int", "float")
    }
    assert numbers - RANGES.keys() == set()


def test_groups_and_hosts_of_plays_exist() -> None:
    common = load(ROOT / "inventory/common/groups.yml")["all"]["children"]
    lab = {name for path in (ROOT / "inventory").glob("*/lab.yml") for name in load(path)["hosts"]}
    for path in scenarios_and_playbooks():
        for play in load(path) if isinstance(load(path), list) else []:
            for group in re.split(r"[:,]", str(play.get("hosts", "all"))):
                hosts = lab if "playbooks" not in path.parts else set()
                assert group.lstrip("!&") in {"all", "localhost", *common, *hosts}, f"{path}: group {group!r}"


def test_every_role_has_a_group_of_its_name() -> None:
    common = load(ROOT / "inventory/common/groups.yml")["all"]["children"]
    assert {role.name for role in ROLES} <= common.keys()


@for_each_role
def test_defaults_pass_the_look_at_the_inventory(role: Path) -> None:
    """A default that is an expression is no value yet: `site.yml` would refuse a pool with it."""
    # Not as a part of the collection: imported before Ansible's loader is set up, it spoils that for all.
    spec = importlib.util.spec_from_file_location(
        "inventory_check", ROOT / "plugins/action/inventory_check.py"
    )
    assert spec and spec.loader
    action = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(action)
    host = Host("host", frozenset({role.name}), frozenset())
    messages = [str(each) for each in action._types(host, SPECS)]
    assert [each for each in messages if "missing required arguments" not in each] == []
