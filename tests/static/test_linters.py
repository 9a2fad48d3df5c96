# SPDX-License-Identifier: GPL-3.0-or-later
"""Every linter the project holds itself to, each a test of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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


def test_ruff_finds_nothing() -> None:
    lint("ruff", "check", "--no-cache", ".")


def test_python_is_formatted() -> None:
    lint("ruff", "format", "--no-cache", "--check", ".")


def test_types_hold_in_strict_mode() -> None:
    lint("mypy")


def test_shell_is_clean() -> None:
    scripts = shell_scripts()
    assert "run" in scripts
    lint("shellcheck", "--shell=sh", "--external-sources", *scripts)


def test_yaml_is_clean() -> None:
    lint("yamllint", "--strict", ".")


@pytest.mark.integration
def test_ansible_content_meets_the_production_profile() -> None:
    lint("ansible-lint", "--offline", "--strict", "--profile", "production")
