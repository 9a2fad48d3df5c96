# SPDX-License-Identifier: GPL-3.0-or-later
"""The artefact that users install: it holds what it should, and its roles and plugins work from it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest
import yaml

from eyrie import __version__

pytestmark = pytest.mark.slow  # Ansible's programs, some twenty starts of them

ROOT = Path(__file__).parents[2]
ALLOWED = re.compile(
    r"(?:MANIFEST\.json|FILES\.json|README\.md|CHANGELOG\.md|LICENSE|requirements\.txt|bindep\.txt"
    r"|(?:roles|plugins|playbooks|meta|docs|changelogs|tests)(?:/.*)?)"
)
BUILDER = ("meta/execution-environment.yml", "meta/runtime.yml", "requirements.txt", "bindep.txt")
LITTER = re.compile(r"(?:^|/)(?:__pycache__|\.[^/]+|[^/]+\.pyc|secrets)(?:/|$)")


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from what git knows and what it would take, as a release does."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("artefact")
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate").split(
        "\0"
    )
    for name in filter(None, names):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name, follow_symlinks=False)
            (source / name).chmod((ROOT / name).stat().st_mode)
    run("ansible-galaxy", "collection", "build", "--output-path", str(target), cwd=source)
    (archive,) = target.glob("eyrie-pool-*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def installed(artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("installed")
    (path / "empty.cfg").touch()
    command = ("ansible-galaxy", "collection", "install", "--offline", "--collections-path", str(path))
    run(*command, str(artefact), cwd=path, collections=path)
    return path


def run(*command: str, cwd: Path = ROOT, collections: Path | None = None) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    if collections:
        # An empty configuration: nothing may be found in the checkout.
        environment["ANSIBLE_CONFIG"] = str(collections / "empty.cfg")
        environment["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_artefact_holds_what_it_should(artefact: Path) -> None:
    with tarfile.open(artefact) as archive:
        names = [member.name for member in archive if member.name]
    assert [name for name in names if not ALLOWED.fullmatch(name)] == []
    assert [name for name in names if LITTER.search(name)] == []
    for role in (ROOT / "roles").iterdir():
        assert f"roles/{role.name}/tasks/main.yml" in names
        assert f"roles/{role.name}/meta/argument_specs.yml" in names
    for plugin in (ROOT / "plugins").rglob("*.py"):
        assert str(plugin.relative_to(ROOT)) in names


def requirements(text: str) -> set[str]:
    return {line.split(" [")[0] for line in text.splitlines() if line and not line.startswith("#")}


def test_an_execution_environment_gets_what_the_package_needs(artefact: Path) -> None:
    """ansible-builder reads the artefact: it names every dependency of the package, in the same versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (core,) = (each for each in project["dependencies"] if each.startswith("ansible-core"))
    with tarfile.open(artefact) as archive:
        member = {name: archive.extractfile(name).read().decode() for name in BUILDER}  # type: ignore[union-attr]
    parts = yaml.safe_load(member["meta/execution-environment.yml"])["dependencies"]
    assert parts == {"python": "requirements.txt", "system": "bindep.txt"}
    assert requirements(member["requirements.txt"]) == set(project["dependencies"]) - {core}
    ranges = sorted(
        re.sub(r"\.0(?=,|$)", "", yaml.safe_load(member["meta/runtime.yml"])["requires_ansible"]).split(",")
    )
    assert ranges == sorted(core.removeprefix("ansible-core").split(","))
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"] == __version__
    installed_by_run = re.search(r"lab_packages='(.*?)'", (ROOT / "run").read_text(), re.DOTALL)
    assert installed_by_run and requirements(member["bindep.txt"]) <= set(installed_by_run[1].split())


@pytest.mark.parametrize(
    "kind, folder", [("module", "modules"), ("filter", "filter"), ("inventory", "inventory")]
)
def test_documentation_is_readable_from_the_artefact(installed: Path, kind: str, folder: str) -> None:
    suffix = "*.yml" if kind == "filter" else "*.py"
    expected = {f"eyrie.pool.{path.stem}" for path in (ROOT / "plugins" / folder).glob(suffix)}
    assert expected, f"no {kind} to ask for"
    pages = json.loads(
        run("ansible-doc", "-t", kind, "--json", *sorted(expected), cwd=installed, collections=installed)
    )
    assert pages.keys() == expected
    assert all(page["doc"]["short_description"] for page in pages.values())


def test_roles_work_from_the_artefact(installed: Path, tmp_path: Path) -> None:
    roles = sorted(path.name for path in (ROOT / "roles").iterdir())
    lines = [
        "- hosts: localhost",
        "  gather_facts: false",
        "  roles:",
        *(f"    - eyrie.pool.{role}" for role in roles),
    ]
    (tmp_path / "play.yml").write_text("\n".join(lines) + "\n")
    run("ansible-playbook", "--syntax-check", "play.yml", cwd=tmp_path, collections=installed)
    run("ansible-playbook", "--syntax-check", "eyrie.pool.site", cwd=tmp_path, collections=installed)


def test_inventory_check_works_from_the_artefact(installed: Path, tmp_path: Path) -> None:
    """The plugin finds the roles' specs where it is installed, and the example is a pool that can work."""
    example = ROOT / "inventory/example"
    out = run(
        "ansible-playbook", "-i", str(example), "eyrie.pool.validate", cwd=tmp_path, collections=installed
    )
    assert re.search(r"failed=0", out)


def test_a_wrong_inventory_is_refused(tmp_path: Path) -> None:
    """Everything that is wrong is told at once, and nothing is connected to."""
    (tmp_path / "00-common.yml").write_text((ROOT / "inventory/common/groups.yml").read_text())
    (tmp_path / "hosts.yml").write_text(
        "all: {vars: {htcondor_pool_name: lab, htcondor_port: 80}}\n"
        "masters: {hosts: {m: {ansible_host: 192.0.2.1, htcondor_prot: 1}}}\n"
        "htcondor: {hosts: {m: }}\n"
        "linux_desktops: {hosts: {d: {ansible_host: 192.0.2.1, agent_idle_seconds: soon}}}\n"
        "agent: {hosts: {d: }}\nguest_image: {hosts: {d: }}\nguest_qemu: {hosts: {d: }}\n"
    )
    command = ["ansible-playbook", "-i", str(tmp_path), "playbooks/validate.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    text = re.sub(r"\s+", " ", done.stdout)
    assert done.returncode != 0
    for sentence in (
        "address 192.0.2.1 (ansible_host): found 'd, m', wanted one host an address",
        "variable htcondor_prot of m: found 'a name that no role knows', wanted perhaps htcondor_port",
        "htcondor_port of d, m: found 80, wanted a number from 1024 to 65535",
        "agent_idle_seconds of d: found 'soon', wanted a number from 5 to 86400",
    ):
        assert sentence in text, done.stdout
