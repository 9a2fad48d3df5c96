# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into the package's source and tables, from its model."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msi_samples import PYTHON, sample

from eyrie.errors import EyrieError
from eyrie.msi.model import Package, compose
from eyrie.msi.tables import Table, tables
from eyrie.msi.version import parse
from eyrie.msi.wxs import render

WIX = "{http://schemas.microsoft.com/wix/2006/wi}"
GUID = re.compile(r"\{[0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}\}")


def elements(package: Package, name: str) -> list[Element]:
    return list(ElementTree.fromstring(render(package)).iter(WIX + name))


def table(package: Package, name: str) -> Table:
    (found,) = [each for each in tables(package) if each.name == name]
    return found


def sequence(package: Package) -> dict[str, int]:
    return {str(row[0]): int(row[2]) for row in table(package, "InstallExecuteSequence").rows}


def test_files_are_the_python_the_agent_and_the_installer() -> None:
    package = sample()
    names = {each.get("Name") for each in elements(package, "File")}
    assert names == {*PYTHON, "agent.pyz", "installer.pyz"}
    assert package.member("python/python312._pth").data == b"python312.zip\n.\n", "no site, no other path"


def test_every_file_is_a_component_that_the_feature_has() -> None:
    package = sample()
    components = elements(package, "Component")
    assert all(len(each.findall(f"{WIX}File")) <= 1 for each in components)
    referred = {each.get("Id") for each in elements(package, "ComponentRef")}
    assert referred == {each.get("Id") for each in components}
    guids = [each.get("Guid", "") for each in components]
    assert len(set(guids)) == len(guids) and all(GUID.fullmatch(each) for each in guids)


def test_two_releases_share_the_settings_and_no_file() -> None:
    old, new = sample("1.0.0"), sample("1.1.0")
    guids = [{each.get("Guid") for each in elements(package, "Component")} for package in (old, new)]
    assert len(guids[0] & guids[1]) == 1
    assert old.release != new.release


@pytest.mark.parametrize(
    "other",
    [sample("1.2.4"), sample(agent=b"another agent"), sample(url="https://pool.example.org/")],
    ids=["version", "content", "url"],
)
def test_another_package_has_other_codes(other: Package) -> None:
    one = sample()
    assert len({one.product_code, other.product_code, one.package_code, other.package_code}) == 4
    assert one.release != other.release
    again = sample()
    assert (again.product_code, again.package_code, again.release) == (
        one.product_code,
        one.package_code,
        one.release,
    )


def test_service() -> None:
    (service,) = elements(sample(), "ServiceInstall")
    assert {name: service.get(name) for name in ("Name", "Start", "Type", "Arguments", "Account")} == {
        "Name": "EyrieAgent",
        "Start": "auto",
        "Type": "ownProcess",
        "Arguments": '-B "[RELEASEDIR]agent.pyz" service',
        "Account": None,
    }


def test_the_secret_is_hidden_and_written_by_no_row() -> None:
    package = sample()
    properties = {each.get("Id"): each.get("Value") for each in elements(package, "Property")}
    assert properties["MsiHiddenProperties"] == "EYRIE_ENROLMENT"
    assert "EYRIE_ENROLMENT" in str(properties["SecureCustomProperties"]).split(";")
    assert not [each for each in elements(package, "RegistryValue") if "ENROLMENT" in str(each.attrib)]
    rows = [row for row in table(package, "CustomAction").rows if "[EYRIE_ENROLMENT]" in str(row)]
    assert [(row[0], int(row[1]) & 0x2000) for row in rows] == [("Enrol", 0x2000)]


@pytest.mark.parametrize("python, least", [("312", 603), ("38", 601)])
def test_windows_that_this_python_runs_on(python: str, least: int) -> None:
    files = {name.replace("312", python): data for name, data in PYTHON.items()}
    package = compose(parse("1.0.0"), files, b"", b"")
    assert package.windows == least
    assert f"VersionNT64 >= {least}" in render(package).decode().replace("&gt;", ">")


@pytest.mark.parametrize("lacking", ["pythonw.exe", "python312.dll", "vcruntime140.dll"])
def test_a_python_that_is_not_whole_is_refused(lacking: str) -> None:
    files = {name: data for name, data in PYTHON.items() if name != lacking}
    with pytest.raises(EyrieError, match="embeddable"):
        compose(parse("1.0.0"), files, b"", b"")


def test_names_that_windows_cannot_tell_apart_are_refused() -> None:
    with pytest.raises(EyrieError, match="tell apart"):
        compose(parse("1.0.0"), {**PYTHON, "_SSL.pyd": b""}, b"", b"")


def test_the_old_release_goes_after_the_new_one_runs() -> None:
    at = sequence(sample())
    order = [
        "StopServices",
        "InstallFiles",
        "Undo",
        "Remember",
        "WriteRegistryValues",
        "Adopt",
        "StartServices",
    ]
    order += [
        "Check",
        "InstallExecute",
        "RemoveExistingProducts",
        "RegisterProduct",
        "InstallFinalize",
        "Forget",
    ]
    assert sorted(order, key=at.__getitem__) == order
    assert len(set(at.values())) == len(at)


def test_what_an_uninstall_removes_stays_when_another_release_is_in_use() -> None:
    package = sample()
    conditions = {str(row[0]): str(row[1]) for row in table(package, "InstallExecuteSequence").rows}
    for action in ("StopServices", "DeleteServices", "Purge", "Leave", "RemoveRegistryValues"):
        assert "NOT UPGRADINGPRODUCTCODE" in conditions[action]
        assert f'EYRIE_RELEASE="{package.release}"' in conditions[action]
    for action in ("Purge", "Leave"):
        assert conditions[action].startswith('REMOVE="ALL" AND ')


def test_purge_runs_between_the_service_and_its_files() -> None:
    at = sequence(sample())
    assert at["StopServices"] < at["Purge"] < at["Leave"] < at["RemoveFiles"]


def test_same_version_of_other_content_is_replaced_and_a_newer_one_refused() -> None:
    rows = table(sample("1.2.3"), "Upgrade").rows
    assert [(row[1], row[2], int(row[4]) & (2 | 256 | 512), row[6]) for row in rows] == [
        ("0.0.0", "1.2.3", 256 | 512, "EYRIE_OLDER"),
        ("1.2.3", "", 2, "EYRIE_NEWER"),
    ]


@given(st.sampled_from(tables(sample())))
def test_tables_keep_their_form(one: Table) -> None:
    lines = one.idt().decode("cp1252").split("\r\n")
    assert lines[-1] == ""
    assert {line.count("\t") for line in [*lines[:2], *lines[3:-1]]} == {len(one.columns) - 1}
    assert lines[2].split("\t")[0] == one.name
