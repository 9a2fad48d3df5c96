# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole rendering: the real shell scripts, run beside stand-ins for HTCondor's programs."""

from __future__ import annotations

import subprocess

import pytest
from demo_samples import COLOURS, png, recorded
from PIL import Image

from eyrie.demo import render as module
from eyrie.demo.animation import Animation
from eyrie.demo.pool import Pool
from eyrie.demo.remote import SshRemote
from eyrie.demo.render import render
from eyrie.demo.story import State
from eyrie.errors import EyrieError

# submit: replays a recorded log and puts the frames there. rm: notes that it was called.
SUBMIT = """#!/bin/sh
[ ! -e "$STAGE/refuse" ] || { echo 'ERROR: no schedd' >&2; exit 1; }
cp "$STAGE/log" frames.log; cp "$STAGE"/*.png . ; cp "$STAGE"/*.err . 2>/dev/null; echo "7.0 - 7.1"
"""
PROGRAMS = {
    "condor_submit": SUBMIT,
    "condor_rm": '#!/bin/sh\necho "$@" >> "$STAGE/removed"\n',
    "condor_q": "#!/bin/sh\n",
    "condor_status": '#!/bin/sh\ncat "$STAGE/desktops"\n',
    "getent": '#!/bin/sh\necho "u:x:1:1::$STAGE/home:/bin/sh"\n',
    "id": "#!/bin/sh\necho 1000\n",
}


class LocalRemote:
    name, user, is_lab = "here", "somebody", True

    def __init__(self, stage):
        self.environment = {"PATH": f"{stage}/bin:/usr/bin:/bin", "STAGE": str(stage)}

    def run(self, argv, *, stdin=""):
        return subprocess.run(
            argv, input=stdin, capture_output=True, text=True, check=False, env=self.environment
        )


class Notes:
    def __init__(self):
        self.hints, self.told = [], ()

    def update(self, told):
        self.told = told

    def hint(self, text):
        self.hints.append(text)


@pytest.fixture
def stage(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "POLL_SECONDS", 0.02)
    for directory in ("bin", "home"):
        (tmp_path / directory).mkdir()
    for name, text in PROGRAMS.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    for frame, colour in enumerate(COLOURS[:2]):
        (tmp_path / f"frame-000{frame}.png").write_bytes(png(colour))
    (tmp_path / "log").write_text(recorded("desktop-left.log"))
    (tmp_path / "desktops").write_text("desk-2\n")
    return tmp_path


def run(stage, timeout=20.0, notes=None, frames=2):
    output = stage / "out.png"
    return render(
        Pool(LocalRemote(stage)), Animation(frames, 32, 24), output, notes or Notes(), timeout=timeout
    )


def left_on_the_master(stage):
    return list((stage / "home").iterdir())


def test_a_rendering_with_an_eviction_in_the_middle(stage):
    told = run(stage)
    assert [story.state for story in told] == [State.DONE, State.DONE]
    assert [len(story.executions) for story in told] == [1, 2]
    with Image.open(stage / "out.png") as image:
        image.seek(1)
        assert image.convert("RGB").getpixel((0, 0)) == COLOURS[1]
    assert left_on_the_master(stage) == []


def test_too_late_removes_the_jobs_and_says_how_far_it_came(stage):
    text = recorded("desktop-left.log")
    (stage / "log").write_text(text[: text.index("005 (")])
    with pytest.raises(EyrieError, match=r"0 of 2 frames done, 2 running|0 of 2 frames done, 1 running"):
        run(stage, timeout=0.1)
    assert (stage / "removed").read_text() == "7\n"
    assert left_on_the_master(stage) == []
    assert not (stage / "out.png").exists()


def test_an_interruption_removes_the_jobs_and_says_so(stage, monkeypatch):
    (stage / "log").write_text("")

    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.time, "sleep", interrupt)
    notes = Notes()
    with pytest.raises(KeyboardInterrupt):
        run(stage, notes=notes)
    assert (stage / "removed").read_text() == "7\n"
    assert "removing cluster 7 from here" in notes.hints[-1]


@pytest.mark.parametrize(
    ("desktops", "word"), [("", "no desktop is in the pool"), ("desk-2\ndesk-1\n", "desk-1, desk-2")]
)
def test_waiting_says_what_for(stage, monkeypatch, desktops, word):
    (stage / "log").write_text("")
    (stage / "desktops").write_text(desktops)
    monkeypatch.setattr(module, "HINT_SECONDS", 0.0)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.05)
    notes = Notes()
    with pytest.raises(EyrieError, match="eyrie agent why"):
        run(stage, timeout=0.3, notes=notes)
    assert word in notes.hints[0]


def test_a_failed_frame_surfaces_its_stderr(stage):
    (stage / "log").write_text(recorded("bad-scene.log"))
    (stage / "frame-0000.err").write_text(recorded("bad-scene.err"))
    with pytest.raises(EyrieError, match="undeclared"):
        run(stage, frames=1)
    assert left_on_the_master(stage) == []


def test_a_refused_submission_is_quoted_and_leaves_nothing(stage):
    (stage / "refuse").touch()
    with pytest.raises(EyrieError, match="no schedd"):
        run(stage)
    assert left_on_the_master(stage) == []


def test_a_master_without_htcondor(stage):
    (stage / "bin" / "condor_submit").unlink()
    with pytest.raises(EyrieError, match=r"site\.yml"):
        run(stage)


def test_a_missing_picture_is_an_error(stage):
    (stage / "frame-0001.png").unlink()
    with pytest.raises(EyrieError, match=r"frame-0001\.png"):
        run(stage)


def test_one_lost_polling_is_forgiven(stage, monkeypatch):
    real, failures = Pool.log_from, iter([True, True, False])

    def sometimes(self, job, position):
        if next(failures, False):
            raise EyrieError("master here", seen="busy")
        return real(self, job, position)

    monkeypatch.setattr(Pool, "log_from", sometimes)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    assert all(story.state is State.DONE for story in run(stage))


def test_an_unreachable_master_is_named():
    remote = SshRemote("master.invalid", "somebody", ["-F none -o ProxyCommand=false"])
    with pytest.raises(EyrieError, match=r"master\.invalid"):
        remote.run(["true"])
