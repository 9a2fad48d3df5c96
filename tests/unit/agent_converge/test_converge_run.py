# SPDX-License-Identifier: GPL-3.0-or-later
"""Specs carried out on a real disk, from a real https server."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from converge_world import TOKEN, Depot, Desktop, Told, authority, configuration, zipped

from eyrie.agent.converge import apply as applying
from eyrie.agent.converge import items as disk
from eyrie.agent.converge import unpack as unpacking
from eyrie.agent.converge.command import converge_command, facts_command
from eyrie.agent.converge.facts import other_releases
from eyrie.agent.converge.manifest import Entry
from eyrie.agent.converge.spec import Item
from eyrie.credentials.authority import new_authority


def names(answer: dict[str, object]) -> str:
    return " ".join(str(each["text"]) for each in answer["problems"])  # type: ignore[attr-defined]


def test_from_nothing_to_served_and_then_unchanged(desktop: Desktop) -> None:
    first = desktop.bring()
    assert first["problems"] == [] and first["changed"]
    assert [each["thing"] for each in first["diff"]] == ["item guest-image", "token", "agent.json"]
    assert (desktop.item() / "kernel").read_text() == "k"
    written = json.loads((desktop.place.data / "agent.json").read_text())
    assert written["guest"]["image"] == str(desktop.item())
    assert (desktop.place.data / "token").read_text().strip() == TOKEN
    assert (desktop.place.data / "token").stat().st_mode & 0o77 == 0
    assert len(desktop.told) == 1  # the agent hears of it once, when all is there
    before = desktop.everything()
    again = desktop.bring()
    assert (again["changed"], again["diff"], again["problems"]) == (False, [], [])
    assert desktop.everything() == before and len(desktop.told) == 1 and len(desktop.depot.ranges) == 1


def test_check_tells_the_same_and_touches_nothing(desktop: Desktop) -> None:
    told = desktop.bring(check=True)
    assert not desktop.place.data.exists() and not desktop.told
    assert told["changed"] and told["diff"] == desktop.bring()["diff"]


def test_no_secret_is_told(desktop: Desktop) -> None:
    first = json.dumps(desktop.bring())
    second = json.dumps(desktop.bring(token=TOKEN[:-1] + "x"))
    for answer in (first, second):
        assert TOKEN not in answer and TOKEN.rpartition(".")[2] not in answer
    assert "sha256:" in second


def test_no_token_keeps_the_one_that_is_there(desktop: Desktop) -> None:
    desktop.bring()
    answer = desktop.bring(token="")
    assert not answer["changed"] and (desktop.place.data / "token").read_text().strip() == TOKEN
    assert answer["facts"]["token"]["signed"] == TOKEN.rpartition(".")[0]


def test_another_versions_spec_changes_nothing(desktop: Desktop) -> None:
    answer = desktop.bring(agent_version="99.0.0")
    assert answer["outdated"] and not answer["problems"] and not desktop.place.data.exists()


def test_an_item_that_is_replaced_goes_after_the_agent_was_told(desktop: Desktop) -> None:
    desktop.bring()
    old = desktop.item()
    desktop.items = [desktop.depot.publish("guest-image", zipped(kernel="new"))]
    seen: list[bool] = []
    desktop.before_telling = lambda: seen.append(old.exists())
    answer = desktop.bring()
    assert not answer["problems"] and seen == [True]
    assert not old.exists() and (desktop.item() / "kernel").read_text() == "new"


@pytest.mark.parametrize("harm", ["remove", "change", "grow"])
def test_a_file_that_is_harmed_is_named_and_repaired(desktop: Desktop, harm: str) -> None:
    desktop.bring()
    victim = desktop.item() / "sub/disk"
    written = victim.stat().st_mtime_ns
    if harm == "remove":
        victim.unlink()
    else:
        victim.write_text("x" * (5000 if harm == "change" else 5001))
    if harm == "grow":  # a file whose time was set back is known by its size
        os.utime(victim, ns=(written, written))
    desktop.system = Told()
    told = desktop.bring(check=True)
    assert "sub/disk " + ("missing" if harm == "remove" else "changed") in told["diff"][0]["before"]
    assert desktop.bring()["problems"] == []
    assert victim.read_text() == "d" * 5000 and not desktop.bring()["changed"]


def test_a_file_that_was_only_touched_is_whole(desktop: Desktop) -> None:
    desktop.bring()
    os.utime(desktop.item() / "kernel", (1, 1))
    assert not desktop.bring()["changed"]


def test_an_antivirus_that_takes_a_file_at_once_is_named(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = disk._place

    def taken(draft: Path, target: Path) -> None:
        place(draft, target)
        (target / "kernel").unlink()

    monkeypatch.setattr(disk, "_place", taken)
    answer = desktop.bring()
    assert "kernel missing" in names(answer) and "antivirus" in names(answer)
    assert not (desktop.place.data / "agent.json").exists()
    monkeypatch.undo()
    assert desktop.bring()["problems"] == []


@pytest.mark.parametrize("whole", [True, False])
def test_an_antivirus_that_takes_a_file_while_it_is_unpacked_is_named(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    """What was never seen on the disk still counts: the desktop must not serve with the rest."""
    if not whole:
        desktop.bring()
        desktop.item().joinpath("kernel").write_text("x")
    unpack = unpacking.unpack

    def taken(item: Item, part: Path, draft: Path, room: object) -> dict[str, Entry]:
        entries = unpack(item, part, draft, room)
        (draft / "kernel").unlink()
        return entries

    monkeypatch.setattr(unpacking, "unpack", taken)
    answer = desktop.bring()
    assert "kernel missing" in names(answer) and "antivirus" in names(answer)
    assert not whole or not desktop.item().exists()
    monkeypatch.undo()
    assert desktop.bring()["problems"] == [] and (desktop.item() / "kernel").read_text() == "k"
    assert not desktop.bring()["changed"]


def test_a_lost_connection_is_resumed(desktop: Desktop) -> None:
    desktop.depot.cut = 100
    assert "100 bytes" in names(desktop.bring())
    assert not desktop.item().exists()
    desktop.depot.cut = 0
    second = desktop.bring()
    assert second["problems"] == []
    assert [each["thing"] for each in second["diff"]] == ["item guest-image", "token", "agent.json"]
    assert desktop.depot.ranges == ["", "bytes=100-"]


@pytest.mark.parametrize("data", [b"other", b"longer than was said" * 9999])
def test_another_file_than_was_named_is_refused(desktop: Desktop, data: bytes) -> None:
    desktop.bring()
    before = desktop.everything()
    desktop.items = [desktop.depot.publish("guest-image", zipped(kernel="new"))]
    (path,) = [path for path in desktop.depot.files if desktop.items[0]["sha256"] in path]
    desktop.depot.files[path] = data.ljust(desktop.items[0]["size"])
    assert "SHA-256" in names(desktop.bring())
    assert desktop.everything() == before


def test_another_authority_is_refused(desktop: Desktop) -> None:
    other = new_authority("other", datetime.now(UTC))
    assert "pool's authority" in names(desktop.bring(ca=other.certificate))


def test_an_expired_certificate_of_the_depot_is_named(tmp_path: Path) -> None:
    depot = Depot(tmp_path, days=-1)
    desktop = Desktop(tmp_path, depot)
    assert "expired" in names(desktop.bring()) and "clock" in names(desktop.bring())
    depot.close()


def test_a_depot_that_is_gone_is_named(desktop: Desktop) -> None:
    desktop.depot.close()
    assert "reaches the depot" in names(desktop.bring())


def test_too_little_room_is_seen_before_anything_is_fetched(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=1 << 20))
    answer = desktop.bring()
    assert "room on the disk" in names(answer) and "1 MiB free" in names(answer)
    assert desktop.depot.ranges == []


ESCAPES = ("../x", "a/../../x", "/x", "C:/x", "a\\..\\..\\x", "a/./b", "a//b", "con.", "x ", "a:stream")


@pytest.mark.parametrize("name", [*ESCAPES, ".eyrie-manifest.json"])
def test_a_zip_that_leads_out_of_its_folder_is_refused_whole(desktop: Desktop, name: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("good", "good")
        archive.writestr(zipfile.ZipInfo(name), "bad")
    desktop.items = [desktop.depot.publish("guest-image", stream.getvalue())]
    assert "nothing of it was installed" in names(desktop.bring())
    assert not desktop.item().exists()


def test_a_link_in_a_zip_is_refused(desktop: Desktop) -> None:
    stream = io.BytesIO()
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    desktop.items = [desktop.depot.publish("guest-image", stream.getvalue())]
    assert "a link" in names(desktop.bring())


def test_what_is_no_zip_is_named(desktop: Desktop) -> None:
    desktop.items = [desktop.depot.publish("guest-image", b"no zip")]
    assert "wanted a zip file" in names(desktop.bring())


def test_an_agent_that_does_not_listen_is_named(desktop: Desktop) -> None:
    desktop.trouble = "no answer"
    assert "the agent's service" in names(desktop.bring())


def test_an_agent_that_was_killed_is_started_again(desktop: Desktop) -> None:
    desktop.bring()
    desktop.running = "stopped"
    told = desktop.bring()
    assert [each["thing"] for each in told["diff"]] == ["service"] and desktop.running == "running"
    assert not desktop.bring()["changed"]


def test_an_agent_that_is_started_is_not_told_twice(desktop: Desktop) -> None:
    desktop.running = "stopped"
    desktop.bring()
    assert len(desktop.told) == 1


def test_a_configuration_that_the_agent_would_refuse_is_refused_first(desktop: Desktop) -> None:
    assert "lease_seconds" in names(desktop.bring(agent=configuration(lease_seconds=0)))
    assert not desktop.place.data.exists()


class PowerCut(BaseException):
    """Everything stops: no `except` of the program sees it, and `finally` must not matter."""


@pytest.mark.slow  # forty desktops
@pytest.mark.parametrize("step", range(40))
def test_power_may_be_cut_at_any_step(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch, step: int, tmp_path: Path
) -> None:
    """After the cut the desktop serves by the old spec or the new one, and a rerun completes it."""
    desktop.bring()
    old = (desktop.place.data / "agent.json").read_text()
    old_item = desktop.item()
    desktop.items = [desktop.depot.publish("guest-image", zipped(kernel="new", more="m"))]
    left = [step]
    dead = [False]

    def counted(real):  # type: ignore[no-untyped-def]
        def call(*args, **options):  # type: ignore[no-untyped-def]
            if dead[0] or left[0] == 0:
                dead[0] = True
                raise PowerCut
            left[0] -= 1
            return real(*args, **options)

        return call

    with monkeypatch.context() as patched:
        for owner, name in (
            (os, "fsync"),
            (Path, "replace"),
            (Path, "mkdir"),
            (Path, "unlink"),
            (shutil, "rmtree"),
        ):
            patched.setattr(owner, name, counted(getattr(owner, name)))
        with contextlib.suppress(PowerCut):
            desktop.bring(token=TOKEN[:-1] + "x")
    now = (desktop.place.data / "agent.json").read_text()
    serving = old_item if now == old else desktop.item()
    assert disk.manifest.damage(serving) == {}, "neither the old nor the new item is whole"
    assert json.loads(now)["guest"]["image"] == str(serving)
    assert (desktop.place.data / "token").read_text().strip() in (TOKEN, TOKEN[:-1] + "x")
    assert desktop.bring(token=TOKEN[:-1] + "x")["problems"] == []
    left_over = {path.name for path in (desktop.place.data / "items").iterdir()}
    assert left_over == {desktop.item().name}
    assert not desktop.bring(token=TOKEN[:-1] + "x")["changed"]


def test_the_commands_speak_json(desktop: Desktop) -> None:
    out = io.StringIO()
    text = json.dumps(desktop.spec(items=[], agent=configuration()))
    assert converge_command(place=desktop.place, system=desktop.system, text=text, out=out) == 1
    assert json.loads(out.getvalue())["problems"]
    out = io.StringIO()
    good = json.dumps(desktop.spec())
    assert converge_command(True, place=desktop.place, system=desktop.system, text=good, out=out) == 0
    assert json.loads(out.getvalue())["changed"] and out.getvalue().isascii()
    out = io.StringIO()
    assert facts_command(desktop.place, Told(windows={"version": "6.1.7601", "product": "Büro"}), out) == 0
    assert json.loads(out.getvalue())["windows"]["product"] == "Büro" and out.getvalue().isascii()


def test_facts_of_this_machine_have_the_agreed_form(tmp_path: Path) -> None:
    out = io.StringIO()
    facts_command(applying.Place(tmp_path / "none"), out=out)
    facts = json.loads(out.getvalue())
    assert facts["memory_mib"] > 100 and facts["processors"] >= 1 and facts["free_disk_mib"] > 0
    assert facts["token"] == {"sha256": "", "signed": ""} and facts["boot_id"]
    assert authority()


def test_releases_beside_ones_own_are_told(tmp_path: Path) -> None:
    own = tmp_path / "versions/0.2.0-abcd1234/agent.pyz/eyrie/__init__.py"
    own.parent.mkdir(parents=True)
    assert other_releases(own) == []
    (tmp_path / "versions/0.1.0-12345678").mkdir()
    assert other_releases(own) == ["0.1.0-12345678"]
    assert other_releases(tmp_path / "eyrie/__init__.py") == []
