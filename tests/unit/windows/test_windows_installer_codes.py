# SPDX-License-Identifier: GPL-3.0-or-later
"""msiexec's exit codes by name."""

from __future__ import annotations

import pytest

from eyrie.windows.installer_codes import DOWNGRADE_MARK, REMOVED, Outcome, explain


@pytest.mark.parametrize(
    "code, outcome, ok, reboot, retry",
    [
        (0, Outcome.DONE, True, False, False),
        (1641, Outcome.REBOOT_STARTED, True, True, False),
        (3010, Outcome.REBOOT_REQUIRED, True, True, False),
        (1618, Outcome.BUSY, False, False, True),
        (1605, Outcome.ABSENT, False, False, False),
        (1612, Outcome.OWN_PACKAGE_GONE, False, False, False),
        (1603, Outcome.FAILED, False, False, False),
        (1638, Outcome.OTHER_VERSION, False, False, False),
        (1619, Outcome.NOT_FOUND, False, False, False),
        (1625, Outcome.FORBIDDEN, False, False, False),
        (1633, Outcome.WRONG_PLATFORM, False, False, False),
        (1639, Outcome.WRONG_COMMAND, False, False, False),
        (1627, Outcome.UNKNOWN, False, False, False),
        (-1073741510, Outcome.UNKNOWN, False, False, False),
    ],
)
def test_every_code_has_a_name(code: int, outcome: Outcome, ok: bool, reboot: bool, retry: bool) -> None:
    ending = explain(code)
    assert (ending.code, ending.outcome) == (code, outcome)
    assert (ending.ok, ending.reboot, ending.retry) == (ok, reboot, retry)
    assert ending.next_step


@pytest.mark.parametrize(
    "log, outcome",
    [
        ("", Outcome.FAILED),
        (f"Action ended: LaunchConditions. {DOWNGRADE_MARK}: a newer version ...", Outcome.DOWNGRADE),
        (
            "SECREPAIR: CryptAcquireContext: Could not create the default key container",
            Outcome.NEVER_LOGGED_ON,
        ),
        ("Error 1920. Service 'Eyrie agent' (EyrieAgent) failed to start.", Outcome.SERVICE_START),
        ("Fehler 1921. Der Dienst ... konnte nicht beendet werden.", Outcome.SERVICE_STOP),
        ("Error 1922. Service ... could not be deleted.", Outcome.SERVICE_REMOVAL),
    ],
)
def test_the_log_tells_failures_apart(log: str, outcome: Outcome) -> None:
    ending = explain(1603, log)
    assert ending.outcome is outcome
    assert ending.as_system is (outcome is Outcome.NEVER_LOGGED_ON)
    assert explain(0, log).outcome is Outcome.DONE


def test_removing_what_is_not_there_is_done() -> None:
    assert explain(1605).outcome in REMOVED
    assert explain(1603).outcome not in REMOVED
