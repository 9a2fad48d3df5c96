# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every file of the tree."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
COMMENTED = {".py", ".yml", ".yaml", ".sh", ".toml", ".cfg", ".j2", ".service", ".conf", ".pov"}
# Written by a program, which puts its own first line.
GENERATED = re.compile(r"roles/\w+/defaults/main\.yml|requirements/.*")
# Packages come from where the system's own configuration says.
REGISTRIES = re.compile(
    r"(?:deb|security|ftp\.\w+|snapshot)\.debian\.org|pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|"
    r"galaxy\.ansible\.com|proxy\.golang\.org|repo\.maven"
)
MACHINE = re.compile(r"(?<![\w.])/(?:work|home/\w+|Users|var/tmp)/\w")


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


@cache
def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        try:
            found.append((str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue  # a picture or a recording
    return found


def is_code(name: str, text: str) -> bool:
    return Path(name).suffix in COMMENTED or text.startswith("#!")


def test_every_source_file_names_its_licence_first() -> None:
    bare = [
        name
        for name, text in texts()
        if is_code(name, text) and text and not GENERATED.fullmatch(name) and "recorded" not in name
        if SPDX not in "\n".join(text.splitlines()[:2]) and not text.startswith("{{ ansible_managed")
    ]
    assert bare == []


@pytest.mark.parametrize(
    "pattern, what", [(REGISTRIES, "a package registry"), (MACHINE, "a path of one machine")]
)
def test_tree_names_nothing_of_one_place(pattern: re.Pattern[str], what: str) -> None:
    here = str(Path(__file__).relative_to(ROOT))
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts()
        if name not in (here, "LICENSE")
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], f"the tree names {what}"


def test_no_test_names_its_number_of_examples() -> None:
    """It would get as many in the fast half: the profiles of tests/conftest.py say how many."""
    profiles = {"tests/conftest.py", str(Path(__file__).relative_to(ROOT))}
    named = [name for name, text in texts() if "max_examples=" in text and name not in profiles]
    assert named == []


def test_no_secret_is_tracked() -> None:
    assert [
        name
        for name, text in texts()
        if "secrets/" in name or ("PRIVATE KEY-----" in text and "tests/" not in name)
    ] == []
