# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eyrie.errors import EyrieError
from eyrie.inventory.variables import faults
from eyrie.lab.topology import load

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))  # tests/bench is run as `python -m tests.bench`, from the repository's root

from tests.bench import processes  # noqa: E402
from tests.bench.__main__ import main  # noqa: E402
from tests.bench.figure import Figure, median, number, percentile  # noqa: E402
from tests.bench.figures.second_site import changes, round_trips  # noqa: E402
from tests.bench.machine import Machine  # noqa: E402
from tests.bench.many import DESKTOPS, SOONER, enlarge  # noqa: E402
from tests.bench.output import as_json, markdown  # noqa: E402
from tests.bench.quiet import quiet_from, use  # noqa: E402

MACHINE = Machine("A CPU", 2, 24.0, "6.1", "tcg", "Some Debian (13.1)")


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ((5.0,), 99, 5.0),
        (range(1, 101), 99, 99),
        (range(1, 101), 100, 100),
        (range(1, 21), 99, 20),
        ((3, 1, 2), 50, 2),
    ],
)
def test_percentile_is_a_measured_value(values, percent, expected):
    assert percentile(list(values), percent) == expected


def test_statistics_of_nothing_are_refused():
    for call in (lambda: percentile([], 99), lambda: percentile([1], 0), lambda: median([])):
        with pytest.raises(ValueError, match="of"):
            call()


@pytest.mark.parametrize(("values", "expected"), [((3, 1, 2), 2), ((4, 1, 2, 3), 2.5), ((7,), 7)])
def test_median(values, expected):
    assert median(values) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0567, "0.0567"),
        (0.5, "0.5"),
        (1, "1"),
        (12.345, "12.3"),
        (120, "120"),
        (123456, "123456"),
    ],
)
def test_numbers_for_people(value, text):
    assert number(value) == text


def test_one_slow_sample_in_a_hundred_passes_p99_and_fails_max():
    values = (0.1,) * 99 + (5.0,)
    assert Figure("w", 1, "s", values, "p99").verdict == "reached"
    assert Figure("w", 1, "s", values, "max").verdict == "missed"


def test_p99_of_few_says_that_it_is_the_maximum():
    assert Figure("w", 1, "s", (0.1, 0.2, 0.3), "p99").measured == "median 0.2, p99=max 0.3 s (n=3)"
    assert "p99 0.1 s (n=100)" in Figure("w", 1, "s", (0.1,) * 100, "p99").measured


def test_an_unmeasured_figure_never_counts_as_reached():
    figure = Figure("w", 1, "s", failed="no lab")
    assert figure.reached is None
    assert figure.verdict == "not measured: no lab"
    assert Figure("w", None, "s", (1.0,)).verdict == "counted"


def burning_until(stop, end=3.0, step=0.01, rate=1.0):
    times = [count * step for count in range(round(end / step) + 1)]
    return [(at, min(at, stop) * rate) for at in times]


def test_quiet_is_found_where_the_use_stops():
    assert quiet_from(burning_until(1.23), after=1.0, window=0.5, share=0.02) == pytest.approx(
        1.23, abs=0.011
    )


def test_quiet_at_once_is_the_time_asked_from():
    assert quiet_from(burning_until(0.5), after=1.0, window=0.5, share=0.02) == pytest.approx(1.0, abs=0.011)


def test_a_short_gap_is_not_quiet():
    samples = [(at, used if at < 1 else used + max(0.0, at - 1.3)) for at, used in burning_until(1.0)]
    assert quiet_from(samples, after=0.9, window=0.5, share=0.02) is None


def test_samples_that_end_too_early_prove_nothing():
    assert quiet_from(burning_until(1.0, end=1.3), after=0.9, window=0.5, share=0.02) is None


def test_a_trickle_is_not_zero():
    assert quiet_from(burning_until(9, rate=0.05), after=1.0, window=0.5, share=0.02) is None


def test_use_in_cores():
    assert use(burning_until(9, rate=0.7), 0.5, 1.5) == pytest.approx(0.7)
    with pytest.raises(ValueError, match="0 samples"):
        use(burning_until(9), 100, 101)


def test_a_real_process_is_seen_to_burn_stop_and_end():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with processes.sampled(child.pid) as samples:
            while processes.cpu_seconds(child.pid) < 0.1:
                time.sleep(0.01)
            stopped = time.monotonic()
            os.kill(child.pid, 19)
            time.sleep(0.5)
        assert use(samples, samples[0][0], stopped) > 0
        quiet = quiet_from(samples, stopped, 0.3, 0.02)
        assert quiet is not None
        assert quiet - stopped < 0.2
        assert processes.alive(child.pid)
        assert processes.resident_mib(child.pid) > 1
        assert processes.command(child.pid)[1] == "-c"
    finally:
        child.kill()
    time.sleep(0.2)
    assert not processes.alive(child.pid), "a zombie has given its memory back"
    child.wait()
    assert not processes.alive(child.pid)
    assert processes.command(child.pid) == []


RECAP = """
PLAY RECAP *********************************************************************
desk-1                     : ok=31   changed=0    unreachable=0    failed=0
master                     : ok=28   changed=2    unreachable=0    failed=0
"""
VERBOSE = """
<10.77.1.10> ESTABLISH SSH CONNECTION FOR USER: root
<10.77.1.10> SSH: EXEC ssh -C -o ControlMaster=auto 10.77.1.10 '/bin/sh -c '"'"'echo ~'"'"''
<10.77.1.21> PUT /tmp/a TO /tmp/b
<10.77.1.10> SSH: EXEC ssh -C 10.77.1.10 '/bin/sh'
"""


def test_recap():
    assert changes(RECAP) == {"desk-1": 0, "master": 2}
    with pytest.raises(EyrieError, match="desk-1"):
        changes(RECAP.replace("unreachable=0", "unreachable=1", 1))
    with pytest.raises(EyrieError, match="everything"):
        changes("")


def test_round_trips():
    assert round_trips(VERBOSE) == {"10.77.1.10": 2, "10.77.1.21": 1}


def test_tables_hold_everything():
    figures = [
        Figure("a | b", 1, "s", (0.5, 2.0), "max", "How it was done."),
        Figure("c", 2, "MiB", failed="no lab"),
    ]
    text = markdown(figures, MACHINE)
    assert "| a \\| b [1] | ≤ 1 s | median 1.25, max 2 s (n=2) | missed |" in text
    assert "| c | ≤ 2 MiB | - | not measured: no lab |" in text
    assert "[1] How it was done." in text
    assert "no working KVM" in text
    data = json.loads(as_json(figures, MACHINE))
    assert data["figures"][0]["values"] == [0.5, 2.0]
    assert data["machine"]["cores"] == 2


def test_bad_command_lines_are_refused(capsys):
    for words, seen in ((["speed"], "no figure speed"), (["--repetitions", "0"], "wanted 1 or more")):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        assert seen in capsys.readouterr().err


def test_a_lab_that_is_down_is_named_with_the_command(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pytest's own stay
    assert main(["--name", "nosuchlab", "at_rest"]) == 1
    assert "eyrie lab up --name nosuchlab" in capsys.readouterr().err


def test_the_lab_of_many_keystrokes_is_one_that_can_work(tmp_path):
    topology = load(enlarge(ROOT / "inventory/lab", tmp_path / "lab"))
    desktops = [host for host in topology.hosts if host.is_desktop]
    assert len(desktops) == DESKTOPS
    assert not (tmp_path / "lab/secrets").exists()
    assert faults(SOONER) == []
