# SPDX-License-Identifier: GPL-3.0-or-later
"""Every linter the project holds itself to, each a test of its own."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = ROOT / ".cache" / "linted"


def tracked(*patterns: str) -> list[str]:
    """Return the files of the project that match, new ones that git does not ignore included."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [
        name for name in listing.splitlines() if (ROOT / name).is_file() and not (ROOT / name).is_symlink()
    ]


def shell_scripts() -> list[str]:
    def is_shell(name: str) -> bool:
        with (ROOT / name).open("rb") as stream:
            return stream.readline().strip() in {b"#!/bin/sh", b"#!/usr/bin/env bash", b"#!/bin/busybox sh"}

    return [
        name for name in tracked("run", ".ci/run", "roles/*/files/*", "src/*", "tests/*") if is_shell(name)
    ]


def lint(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command[:3])}:\n{done.stdout[-6000:]}{done.stderr[-3000:]}"


@pytest.fixture
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--hypothesis-profile") == "fast")


def lint_once(names: list[str], fast: bool, *command: str) -> None:
    """Lint; but not again, in the fast half, what these very files, settings and program have passed."""
    version = subprocess.run([command[0], "--version"], cwd=ROOT, capture_output=True, check=True).stdout
    content = hashlib.sha256(version + repr(command).encode())
    for name in names:
        content.update(name.encode() + b"\0" + hashlib.sha256((ROOT / name).read_bytes()).digest())
    passed = CLEAN / f"{Path(command[0]).name}-{content.hexdigest()}"
    if fast and passed.exists():
        return
    lint(*command)
    CLEAN.mkdir(parents=True, exist_ok=True)
    for old in sorted(CLEAN.glob(f"{Path(command[0]).name}-*"), key=lambda path: path.stat().st_mtime)[:-8]:
        old.unlink(missing_ok=True)
    passed.touch()


def test_ruff_finds_nothing() -> None:
    lint("ruff", "check", "--no-cache", ".")


def test_python_is_formatted() -> None:
    lint("ruff", "format", "--no-cache", "--check", ".")


def python() -> list[str]:
    return tracked("*.py", "*.pyi", "pyproject.toml", "requirements/lock.txt")


def test_types_hold_in_strict_mode(fast: bool) -> None:
    lint_once(python(), fast, "mypy")


def test_types_hold_where_only_windows_goes(fast: bool) -> None:
    lint_once(
        python(),
        fast,
        "mypy",
        "--platform",
        "win32",
        "src/eyrie/msi/on_desktop",
        "src/eyrie/agent/windows",
        "src/eyrie/guests/windows",
    )


def test_shell_is_clean(fast: bool) -> None:
    scripts = shell_scripts()
    assert "run" in scripts
    lint_once(scripts, fast, "shellcheck", "--shell=sh", "--external-sources", *scripts)


def test_yaml_is_clean(fast: bool) -> None:
    files = tracked("*.yml", "*.yaml", ".yamllint", ".ansible-lint")
    assert ".yamllint" in files
    lint_once(files, fast, "yamllint", "--strict", ".")


@pytest.mark.integration
def test_ansible_content_meets_the_production_profile() -> None:
    lint("ansible-lint", "--offline", "--strict", "--profile", "production")
