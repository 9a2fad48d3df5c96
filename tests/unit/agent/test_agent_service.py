# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole agent, with a played owner and FAKE guests: what each mishap does to the desktop."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path

import pytest
from agent_world import Desktop, config, token

from eyrie.agent.status import page
from eyrie.agent.why import explain
from eyrie.errors import EyrieError


def why(desktop: Desktop) -> str:
    return explain(desktop.ask("status"))


def reload(desktop: Desktop) -> None:
    assert desktop.service is not None
    os.kill(os.getpid(), signal.SIGHUP)
    desktop.service.wait()


def test_an_idle_desktop_joins_and_says_so(desktop: Desktop) -> None:
    desktop.joined()
    assert "is in the pool lab" in why(desktop)
    (spec,) = desktop.backend.specs
    assert spec.config == {
        "name": "desk-1",
        "pool": "lab",
        "engine": "htcondor",
        "master": "127.0.0.1",
        "port": str(desktop.master.getsockname()[1]),
        "lease_seconds": "60",
    }
    assert desktop.ask("status")["history"][-1]["state"] == "joined"


def test_the_owners_key_pauses_in_the_same_step_and_ends_the_guest_in_time(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    desktop.owner.idle = 0.0
    desktop.passes(0.5)
    assert guest.calls == ["pause"]
    desktop.passes(1.0)
    assert guest.calls == ["pause", "resume", "vacate 3"]
    desktop.passes(3.5)
    assert guest.calls[-1] == "kill"
    assert guest.closed
    desktop.passes(0.5)
    assert desktop.state == "busy"
    last = desktop.ask("status")["history"][-1]
    assert (last["state"], last["reason"]) == ("evicting", "played by the test")


def test_a_guest_that_cannot_be_paused_is_ended(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    guest.pause_fails = True
    desktop.owner.idle = 0.0
    desktop.passes(0.5)
    assert guest.calls == ["pause", "kill"]


def test_unknown_idleness_evicts(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    desktop.owner.idle = None
    desktop.passes(0.5)
    assert guest.calls == ["pause"]


def test_a_refused_token_is_what_why_says(desktop: Desktop) -> None:
    desktop.start()
    desktop.guest.say("refused token the collector does not accept it")
    desktop.passes(6)
    assert desktop.state == "failed"
    assert "guest refused: token the collector does not accept it" in why(desktop)


def test_a_guest_that_reached_no_manager_says_which(desktop: Desktop) -> None:
    desktop.joined().guest.say("refused manager 10.77.1.10:9618 out of reach for 60 s")
    desktop.passes(6)
    assert "central manager not reachable: 10.77.1.10:9618 out of reach for 60 s" in why(desktop)


def test_a_central_manager_that_is_gone_is_told(desktop: Desktop) -> None:
    desktop.joined().guest.say("state leaving")
    desktop.passes(0.5)
    desktop.guest.die(0)
    desktop.passes(1)
    assert "central manager not reachable" in why(desktop)
    assert desktop.state == "failed"


def test_a_dying_guest_backs_off_and_tries_again(desktop: Desktop) -> None:
    desktop.joined().guest.die(1)
    desktop.passes(0.5)
    assert desktop.state == "failed"
    assert "the guest ended by itself (status 1)" in why(desktop)
    desktop.passes(13)
    assert len(desktop.backend.guests) == 2


def test_a_backend_that_cannot_start_tells_the_next_step(desktop: Desktop) -> None:
    desktop.backend.refuse = "qemu-system-x86_64 is not installed. Next: run site.yml"
    desktop.start()
    assert desktop.state == "failed"
    assert "qemu-system-x86_64 is not installed. Next: run site.yml" in why(desktop)


def test_an_expired_token_starts_no_guest(desktop: Desktop) -> None:
    (desktop.root / "token").write_text(token(exp=1.5e9))
    desktop.start()
    assert not desktop.backend.guests
    assert "token expired on 2017-07-14" in why(desktop)
    assert "run site.yml to renew it" in why(desktop)


def test_a_master_out_of_reach_starts_no_guest(desktop: Desktop) -> None:
    desktop.master.close()
    desktop.start()
    assert not desktop.backend.guests
    assert "master cannot be reached at 127.0.0.1 port" in why(desktop)


def test_the_owners_wish_outlives_a_restart(desktop: Desktop) -> None:
    desktop.joined()
    assert desktop.ask("pause", uid=4242)["kept"] is True
    desktop.passes(6)
    assert desktop.state == "disabled"
    assert not desktop.backend.alive
    assert desktop.service is not None
    desktop.service.close()
    desktop.start()
    assert desktop.state == "disabled"
    assert "paused by user 4242" in why(desktop)
    with pytest.raises(EyrieError, match="paused by someone else"):
        desktop.ask("resume", uid=4343)
    assert desktop.state == "disabled"
    assert desktop.ask("resume", uid=4242) == {"resumed": True}
    desktop.passes(3)
    assert desktop.backend.alive


def test_root_may_resume(desktop: Desktop) -> None:
    desktop.start()
    desktop.ask("pause", uid=4242)
    assert desktop.ask("resume", uid=0) == {"resumed": True}


def test_a_broken_configuration_is_failed_and_keeps_the_last_good_one(desktop: Desktop) -> None:
    desktop.start()
    assert desktop.service is not None
    desktop.service.close()
    desktop.paths.config.write_text(json.dumps(config(idle__secods=5)))
    desktop.start()
    status = desktop.ask("status")
    assert (status["name"], status["state"]) == ("desk-1", "failed")
    assert status["meanwhile"]["state"] == "starting"
    assert "idle.secods" in why(desktop)
    assert "last good configuration stays in force until it is put right" in why(desktop)
    assert "This desktop is about to join" in why(desktop)
    assert why(desktop).count("idle.secods") == page(status).count("idle.secods") == 1


def test_the_owner_of_a_desktop_with_a_broken_configuration_notices_nothing(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    desktop.paths.config.write_text("{")
    reload(desktop)
    desktop.passes(30)
    status = desktop.ask("status")
    assert (status["state"], round(status["since_seconds"])) == ("failed", 30)
    assert (status["meanwhile"]["state"], guest.calls) == ("joined", [])
    desktop.owner.idle = 0.0
    desktop.passes(0.5)
    assert guest.calls == ["pause"]
    desktop.write_config()
    reload(desktop)
    assert desktop.state == "evicting"
    assert "meanwhile" not in desktop.ask("status")


def test_a_broken_configuration_with_no_good_one_is_failed(desktop: Desktop) -> None:
    desktop.paths.config.write_text("{")
    desktop.start()
    assert desktop.state == "failed"
    assert not desktop.backend.guests
    assert "wanted valid JSON" in why(desktop)
    assert "put right" in why(desktop)


def test_reload_takes_the_repaired_configuration(desktop: Desktop) -> None:
    desktop.paths.config.write_text("{")
    desktop.start()
    desktop.write_config()
    reload(desktop)
    desktop.passes(3)
    assert desktop.backend.alive


def test_an_idle_guest_makes_way_for_one_of_the_new_image(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    guest.say("jobs 1")
    desktop.write_config(guest__image_id="NEW")
    reload(desktop)
    desktop.passes(5)
    assert guest.calls == []  # it is at work
    guest.say("jobs 0")
    desktop.passes(0.5)
    assert guest.calls == ["vacate 4"]
    assert "its image changed" in desktop.ask("status")["reason"]
    guest.say("state vacated")
    desktop.passes(5)
    assert guest.closed
    assert [spec.image_id for spec in desktop.backend.specs] == ["ID", "NEW"]
    desktop.guest.say("state joined")
    desktop.passes(5)
    assert desktop.state == "joined"
    assert desktop.guest.calls == []


def test_a_change_that_is_not_the_guests_leaves_it_alone(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    desktop.write_config(evict={"grace_seconds": 7})
    reload(desktop)
    desktop.passes(5)
    assert guest.calls == []


def test_a_disk_that_cannot_be_written_is_failed_not_a_crash(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    state = desktop.paths.state
    for path in state.iterdir():
        path.unlink()
    state.rmdir()
    state.write_text("in the way")
    answer = desktop.ask("pause")
    assert answer["kept"] is False
    desktop.passes(6)
    assert guest.status is not None
    assert desktop.ask("status")["problems"]
    state.unlink()
    state.mkdir()
    desktop.passes(31)
    assert desktop.ask("status")["problems"] == []


def test_sleep_and_clock_changes_count_idle_time_anew(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    desktop.time = dataclasses.replace(
        desktop.time, boot=desktop.time.boot + 3600, wall=desktop.time.wall + 3600
    )
    desktop.passes(0.5)
    assert guest.calls == ["pause"]
    desktop.passes(6)
    assert desktop.state == "idle-wait"


def test_the_end_of_the_agent_lets_the_guest_vacate_then_ends_it(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    assert desktop.service is not None
    os.kill(os.getpid(), signal.SIGTERM)
    desktop.service.wait()
    assert desktop.passes(0.5)
    assert guest.calls == ["vacate 4"]
    guest.say("state vacated")
    assert not desktop.passes(0.5)
    assert guest.status is not None


def test_an_error_in_the_loop_ends_the_guest_first(desktop: Desktop) -> None:
    guest = desktop.joined().guest
    desktop.owner.broken = RuntimeError("a bug")
    assert desktop.service is not None
    with pytest.raises(RuntimeError, match="a bug"):
        desktop.service.run()
    assert guest.status is not None
    assert guest.closed
    desktop.service = None


def test_unknown_command(desktop: Desktop) -> None:
    desktop.start()
    with pytest.raises(EyrieError, match="wanted status, pause or resume"):
        desktop.ask("reboot")


def test_history_is_short_and_survives_torn_lines(desktop: Desktop) -> None:
    desktop.paths.state.mkdir()
    lines = [json.dumps({"at": "x", "state": "joined", "reason": str(n)}) for n in range(500)]
    Path(desktop.paths.state / "history.jsonl").write_text("\n".join([*lines, '{"at": "tor']))
    desktop.joined()
    history = desktop.ask("status")["history"]
    assert len(history) == 100
    assert history[-2]["reason"] == "499"
    assert len((desktop.paths.state / "history.jsonl").read_text().splitlines()) == 100
