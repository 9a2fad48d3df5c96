# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent as a program: started, asked, hindered and ended as on a desktop."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agent_world import config

from eyrie.agent.bundle import contents, pack, write
from eyrie.agent.cli import FAILED, main
from eyrie.agent.control import ask
from eyrie.errors import EyrieError

pytestmark = pytest.mark.slow  # agents are started as on a desktop


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("bundle") / "agent.pyz").path


class Agent:
    """The bundle, running as on a desktop: no site-packages, nothing of the environment."""

    def __init__(self, bundle: Path, root: Path) -> None:
        self.root = root
        self.socket = root / "run" / "agent.sock"
        self.words = [sys.executable, "-S", "-I", str(bundle), "agent"]
        (root / "agent.json").write_text(json.dumps(config(guest__token=str(root / "token"))))
        self.process = self.run()

    def run(self) -> subprocess.Popen[str]:
        places = ["--config", "agent.json", "--state-dir", "state", "--run-dir", "run"]
        return subprocess.Popen(
            [*self.words, "run", *places], cwd=self.root, stderr=subprocess.PIPE, text=True, env={}
        )

    def wait(self) -> None:
        until = time.monotonic() + 60
        while not self.socket.exists():
            assert time.monotonic() < until
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def until(self, words: str, said: bool) -> None:
        """Wait until `why` says some words, or no longer does."""
        until = time.monotonic() + 60
        while (words in self.ask("why")) is not said:
            assert time.monotonic() < until
            time.sleep(0.02)

    def ask(self, *words: str) -> str:
        """Put a question as the command does."""
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            assert main([*words, "--socket", str(self.socket)]) == 0
        return text.getvalue()


@pytest.fixture(scope="module")
def agent(bundle: Path) -> Iterator[Agent]:
    root = Path(tempfile.mkdtemp(prefix="eyrie-desk-"))  # other users of the desktop must reach it
    root.chmod(0o755)
    agent = Agent(bundle, root)
    agent.wait()
    yield agent
    agent.process.terminate()
    agent.process.communicate(timeout=60)
    shutil.rmtree(root)


def test_status_and_why(agent: Agent) -> None:
    words = [*agent.words, "status", "--socket", str(agent.socket)]
    answer = subprocess.run(words, capture_output=True, text=True, env={}, timeout=60, check=True)
    assert "desktop   desk-1" in answer.stdout
    assert "desktop   desk-1" in agent.ask("status")
    assert json.loads(agent.ask("status", "--json"))["pool"]["name"] == "lab"
    assert "This desktop" in agent.ask("why")


def test_the_second_agent_names_the_first(agent: Agent) -> None:
    second = agent.run()
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"process {agent.process.pid}" in errors
    assert agent.process.poll() is None
    assert agent.ask("status")


def test_pause_and_resume(agent: Agent) -> None:
    assert "left out of the pool: paused by root" in agent.ask("pause")
    assert "left out at its owner's wish" in agent.ask("why")
    assert "may serve the pool again" in agent.ask("resume")
    assert "was not paused" in agent.ask("resume")


def test_only_who_paused_or_root_may_resume(agent: Agent) -> None:
    """The kernel tells the agent who asks."""
    if os.geteuid() != 0:
        pytest.skip("asking as another user needs root")
    agent.ask("pause")
    script = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        's.sendall(b\'{"command": "resume"}\\n\'); print(s.recv(4096).decode())'
    )
    words = ["setpriv", "--reuid", "65534", "--clear-groups", "/usr/bin/python3", "-c", script]
    words.append(str(agent.socket))
    answer = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert "paused by someone else" in answer.stdout, answer.stderr
    assert agent.ask("resume")


def test_a_caller_that_says_nonsense_or_nothing_harms_nobody(agent: Agent) -> None:
    silent = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for link in silent:
        link.connect(str(agent.socket))
    for nonsense in (b"\n", b"[]\n", b"{\n", b"\xff\n", b"x" * 9000, b'{"command": "fly"}\n'):
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(agent.socket))
            link.sendall(nonsense)
    for link in silent:
        link.close()
    assert agent.ask("status")


def test_reload_tells_a_broken_file_and_goes_on(agent: Agent) -> None:
    good = (agent.root / "agent.json").read_text()
    (agent.root / "agent.json").write_text("{")
    agent.process.send_signal(signal.SIGHUP)
    agent.until("last good configuration stays in force", True)
    assert main(["status", "--socket", str(agent.socket)]) == FAILED
    (agent.root / "agent.json").write_text(good)
    agent.process.send_signal(signal.SIGHUP)
    agent.until("last good", False)


@pytest.fixture
def place(bundle: Path, tmp_path: Path) -> Iterator[Callable[[], Agent]]:
    """Return what starts agents on one desktop; none outlives the test."""
    agents: list[Agent] = []

    def start() -> Agent:
        agents.append(Agent(bundle, tmp_path))
        return agents[-1]

    yield start
    for agent in agents:
        agent.process.kill()
        agent.process.communicate(timeout=60)


def test_sigterm_ends_cleanly(place: Callable[[], Agent]) -> None:
    agent = place()
    agent.wait()
    agent.process.terminate()
    assert agent.process.wait(60) == 0
    assert not agent.socket.exists()


def test_a_killed_agents_lock_and_socket_are_in_nobodys_way(place: Callable[[], Agent]) -> None:
    first = place()
    first.wait()
    first.process.kill()
    first.process.wait(60)
    assert first.socket.exists()
    second = place()
    until = time.monotonic() + 60
    while True:
        try:
            assert ask(second.socket, "status")["state"]
            return
        except EyrieError:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_no_agent_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", "--socket", str(tmp_path / "none")]) == 1
    assert "the agent is not running on this desktop" in capsys.readouterr().err
    with pytest.raises(EyrieError, match="systemctl start eyrie-agent"):
        ask(tmp_path / "none", "status")


def test_check_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(config()))
    assert main(["agent", "check-config", str(path)]) == 0
    path.write_text(json.dumps(config(pool__port=0)))
    assert main(["check-config", str(path)]) == 1
    assert "pool.port: found 0, wanted a whole number from 1 to 65535" in capsys.readouterr().err


def test_the_bundle_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    first = write(tmp_path / "agent.pyz")
    second = write(tmp_path / "agent.pyz")
    assert (first.changed, second.changed) == (True, False)
    assert first.sha256 == second.sha256
    files = dict(contents())
    assert pack(files) == pack(dict(reversed(list(files.items()))))
    assert not [name for name in files if "/tests/" in name or "/image/" in name]
    assert pack({**files, "__main__.py": b""}) != pack(files)


def test_the_bundle_runs_on_the_oldest_python_we_promise(bundle: Path, tmp_path: Path) -> None:
    old = shutil.which("python3.8")
    if old is None or subprocess.run([old, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip("no Python 3.8 here")
    (tmp_path / "agent.json").write_text(json.dumps(config()))
    words = [old, "-S", "-I", str(bundle), "agent", "check-config", str(tmp_path / "agent.json")]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.count("is good") == 1
