# SPDX-License-Identifier: GPL-3.0-or-later
"""What wixl 0.101 lacks, aborts on or silently ignores, as tables for msibuild; pure.

Old or new, never neither. Windows Installer rolls a failed installation back, but a desktop that loses
power in the middle stays as it was then, until somebody runs an installer again. So an upgrade is made of
steps after each of which a whole release starts:

1. the service, which names the old release's folder, is stopped; new files go to a folder of their own
   (`wxs`);
2. `Adopt` points the service at the new folder: one value of the registry, the only moment that decides;
3. the service starts and `Check` waits for it, or takes `Adopt` back and fails; whatever else fails rolls
   back, and `Undo` brings back what `Remember` wrote down;
4. InstallExecute carries all this out, and only then RemoveExistingProducts removes the old release:
   nothing of it is touched before the new one runs, and both are one transaction. wixl's MajorUpgrade has
   it right after InstallValidate: the old one goes first. After InstallFinalize a lost power could leave
   both registered, and nothing would remove the old one later.

An old release that an upgrade removes must leave the service alone, which is the new one's by then, and
the registry. So the actions that would take them away ask whether this release is the one in use: `Adopt`
wrote that down. Windows Installer says it too, by UPGRADINGPRODUCTCODE; Wine's does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eyrie.msi.identity import UPGRADE_CODE
from eyrie.msi.model import AGENT, INSTALLER, SERVICE, Package
from eyrie.msi.wxs import IN_USE, REGISTERED, REMEMBERED, SERVICE_COMPONENT

# Bits of CustomAction.Type (msidefs.h).
_FILE, _COMMAND, _SET_PROPERTY = 0x12, 0x22, 0x33
_CONTINUE, _ROLLBACK, _DEFERRED, _NO_IMPERSONATE, _HIDE = 0x40, 0x100, 0x400, 0x800, 0x2000
_LATER = _DEFERRED | _NO_IMPERSONATE
_AS_SYSTEM = _FILE | _LATER

# Bits of Upgrade.Attributes.
_MIGRATE, _ONLY_DETECT, _FROM, _UP_TO = 1, 2, 256, 512

_COMES = 'NOT (REMOVE="ALL")'
_RUNS_PYTHON = (
    "file.python_pythonw.exe"  # python.exe would open a console, and in some sessions has none to open
)


@dataclass(frozen=True)
class Table:
    """A table as msibuild imports it."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """Name and type; the first one is the key unless `keys` says more."""

    rows: tuple[tuple[str | int, ...], ...]
    keys: int = 1

    def idt(self) -> bytes:
        """Return the archive form: names, types, the table and its keys, then a line a row."""
        names = [name for name, _type in self.columns]
        head = [names, [kind for _name, kind in self.columns], [self.name, *names[: self.keys]]]
        lines = head + [[str(cell) for cell in row] for row in self.rows]
        assert not any(set("\t\r\n") & set(cell) for line in lines for cell in line)
        return "".join("\t".join(line) + "\r\n" for line in lines).encode("cp1252")


def tables(package: Package) -> tuple[Table, ...]:
    """Return the tables that replace wixl's or come on top."""
    return (_upgrade(package), _custom_actions(), _sequence(package), _failure_actions(), _remove_files())


def _upgrade(package: Package) -> Table:
    """Another build of the same version replaces it too: two of them must never be installed side by side."""
    version = str(package.version)
    return Table(
        "Upgrade",
        (
            ("UpgradeCode", "s38"),
            ("VersionMin", "S20"),
            ("VersionMax", "S20"),
            ("Language", "S255"),
            ("Attributes", "i4"),
            ("Remove", "S255"),
            ("ActionProperty", "s72"),
        ),
        (
            (
                UPGRADE_CODE,
                "0.0.0",
                version,
                "",
                _MIGRATE | _FROM | _UP_TO,
                "",
                "EYRIE_OLDER",
            ),
            (UPGRADE_CODE, version, "", "", _ONLY_DETECT, "", "EYRIE_NEWER"),
        ),
        keys=5,
    )


def _custom_actions() -> Table:
    def python(script: str, words: str) -> str:
        return f'-B "[RELEASEDIR]{script}" {words}'

    undo = rf'"[INSTALLDIR]python\pythonw.exe" -B "[INSTALLDIR]{INSTALLER}" undo'
    rows: list[tuple[str | int, ...]] = [
        (f"Keep.{name}", _SET_PROPERTY, name, f"[SAVED_{name}]", "") for name in REMEMBERED
    ]
    rows += [
        # A verbose log spells out what a Registry row writes; of an action that hides its target, nothing.
        ("Enrol", _AS_SYSTEM | _HIDE, _RUNS_PYTHON, python(INSTALLER, 'enrol "[EYRIE_ENROLMENT]"'), ""),
        # Windows hides the property in its logs; elsewhere it is empty by the time they list it.
        ("Forget", _SET_PROPERTY, "EYRIE_ENROLMENT", "", ""),
        # By the copies that no rollback removes; of a first installation there is nothing to undo.
        ("Undo", _COMMAND | _ROLLBACK | _CONTINUE | _LATER, "INSTALLDIR", undo, ""),
        ("Remember", _AS_SYSTEM, _RUNS_PYTHON, python(INSTALLER, "remember"), ""),
        ("Adopt", _AS_SYSTEM, _RUNS_PYTHON, python(INSTALLER, "adopt"), ""),
        ("Check", _AS_SYSTEM, _RUNS_PYTHON, python(INSTALLER, "check"), ""),
        # A package that cannot be removed is worse than one that leaves something: these two never stop it.
        ("Purge", _AS_SYSTEM | _CONTINUE, _RUNS_PYTHON, python(AGENT, "purge"), ""),
        ("Leave", _AS_SYSTEM | _CONTINUE, _RUNS_PYTHON, python(INSTALLER, "leave"), ""),
    ]
    columns = (
        ("Action", "s72"),
        ("Type", "i2"),
        ("Source", "S72"),
        ("Target", "S255"),
        ("ExtendedType", "I4"),
    )
    return Table("CustomAction", columns, tuple(rows))


def _sequence(package: Package) -> Table:
    """The whole sequence, so that nothing depends on how wixl sorts what it is given."""
    in_use = f'NOT UPGRADINGPRODUCTCODE AND (NOT {IN_USE} OR {IN_USE}="{package.release}")'
    goes = f'REMOVE="ALL" AND {in_use}'
    not_replaced = f"({_COMES} OR ({in_use}))"
    rows = [
        ("FindRelatedProducts", "", 25),
        ("AppSearch", "", 50),
        ("LaunchConditions", "", 100),
        ("ValidateProductID", "", 700),
        *_remember(710),
        ("CostInitialize", "", 800),
        ("FileCost", "", 900),
        ("CostFinalize", "", 1000),
        ("MigrateFeatureStates", "", 1200),
        ("InstallValidate", "", 1400),
        ("InstallInitialize", "", 1500),
        ("ProcessComponents", "", 1600),
        ("UnpublishFeatures", "", 1800),
        ("StopServices", f"VersionNT AND {not_replaced}", 1900),
        ("DeleteServices", f"VersionNT AND {not_replaced}", 2000),
        ("Purge", goes, 2010),
        ("Leave", goes, 2020),
        ("RemoveRegistryValues", not_replaced, 2600),
        ("RemoveFiles", "", 3500),
        ("InstallFiles", "", 4000),
        ("Undo", _COMES, 4980),
        ("Remember", _COMES, 4990),
        ("WriteRegistryValues", "", 5000),
        ("Enrol", f"EYRIE_ENROLMENT AND {_COMES}", 5010),
        ("Adopt", _COMES, 5710),
        # Never over a service that is there: a rollback would take it away. `Adopt` has changed it by now.
        ("InstallServices", f"VersionNT AND NOT {REGISTERED}", 5800),
        ("MsiConfigureServices", "VersionNT", 5850),
        ("StartServices", "VersionNT", 5900),
        ("Check", _COMES, 5910),
        ("InstallExecute", "", 5950),
        ("RemoveExistingProducts", "", 5960),
        ("RegisterUser", "", 6000),
        ("RegisterProduct", "", 6100),
        ("PublishFeatures", "", 6300),
        ("PublishProduct", "", 6400),
        ("InstallFinalize", "", 6600),
        ("Forget", "", 6610),
    ]
    columns = (("Action", "s72"), ("Condition", "S255"), ("Sequence", "I2"))
    return Table("InstallExecuteSequence", columns, tuple(rows))


def _remember(first: int) -> Iterable[tuple[str, str, int]]:
    """An empty property takes the value that the last installation wrote."""
    for number, name in enumerate(REMEMBERED, first):
        yield f"Keep.{name}", f"SAVED_{name} AND NOT {name}", number


def _failure_actions() -> Table:
    """A service that dies comes back after 5 s, 30 s, then 60 s; a day without a fault forgets them."""
    columns = (
        ("MsiServiceConfigFailureActions", "s72"),
        ("Name", "s255"),
        ("Event", "i4"),
        ("ResetPeriod", "I4"),
        ("RebootMessage", "L255"),
        ("Command", "L255"),
        ("Actions", "S255"),
        ("DelayActions", "S255"),
        ("Component_", "s72"),
    )
    on_install, restart = 1, "1[~]1[~]1"
    row = ("service", SERVICE, on_install, 86400, "", "", restart, "5000[~]30000[~]60000", SERVICE_COMPONENT)
    return Table("MsiServiceConfigFailureActions", columns, (row,))


def _remove_files() -> Table:
    """Folders that are empty at the end go; the installer made some of them, and would leave others."""
    columns = (
        ("FileKey", "s72"),
        ("Component_", "s72"),
        ("FileName", "L255"),
        ("DirProperty", "s72"),
        ("InstallMode", "i2"),
    )
    on_uninstall = 2
    folders = ("PYTHONDIR", "RELEASEDIR", "VERSIONSDIR", "INSTALLDIR")
    rows = tuple((f"folder.{name}", SERVICE_COMPONENT, "", name, on_uninstall) for name in folders)
    return Table("RemoveFile", columns, rows)
