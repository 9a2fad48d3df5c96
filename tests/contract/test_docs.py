# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation tells people to type exists, and what it links to is there."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from typer.main import get_command

from eyrie.agent.cli import main as agent_main
from eyrie.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
INLINE = re.compile(r"`((?:eyrie|ansible-playbook|\./run) [^`]+)`")


def whole(block: str) -> Iterator[str]:
    """Yield commands; one goes on over lines until its quotes are closed."""
    held = ""
    for line in block.splitlines(keepends=True):
        held += line
        try:
            shlex.split(held, comments=True)
        except ValueError:
            continue
        yield held
        held = ""


def commands(page: Path) -> list[list[str]]:
    """Return the commands of a page: lines of its `sh` blocks, and code in its text that is one of ours."""
    text = page.read_text()
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    lines = [part for line in whole(blocks) for part in line.split("&&")] + INLINE.findall(text)
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def known(program: str) -> list[tuple[str, list[str]]]:
    found = [(page.name, words) for page in PAGES for words in commands(page) if words[0] == program]
    assert found, f"no page shows {program}"
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert missing == []


def test_verbs_of_run_exist() -> None:
    usage = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, check=True).stdout
    for page, words in known("./run"):
        assert f"  {words[1]} " in usage, f"{page}: {shlex.join(words)}"


def test_playbooks_exist() -> None:
    for page, words in known("ansible-playbook"):
        for word in words:
            assert not word.endswith(".yml") or (ROOT / word).is_file(), f"{page}: {shlex.join(words)}"


def test_eyrie_commands_exist() -> None:
    command = get_command(app)  # once: it takes longer than any help
    for page, words in known("eyrie"):
        verbs = [word for word in words[1:3] if re.fullmatch(r"[a-z-]+", word)]
        if verbs[:1] == ["agent"]:
            with pytest.raises(SystemExit) as ended:
                agent_main([*verbs[1:], "--help"])
            assert ended.value.code == 0, f"{page}: {shlex.join(words)}"
        elif verbs:
            done = CliRunner().invoke(command, [*verbs, "--help"])
            assert done.exit_code == 0, f"{page}: {shlex.join(words)}: {done.output}"
