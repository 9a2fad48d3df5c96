# SPDX-License-Identifier: GPL-3.0-or-later
"""The package in the words that wixl 0.101 understands; what it lacks or ignores is in `tables`. Pure.

Each release has a folder of its own, `%ProgramFiles%\\Eyrie\\versions\\RELEASE`. So an upgrade never
writes to a file of the release that runs: until the service is switched over the old one is whole, then
the new one is.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from eyrie.msi.identity import UPGRADE_CODE, guid
from eyrie.msi.model import AGENT, MANUFACTURER, PRODUCT, REGISTRY_KEY, SERVICE, Member, Package
from eyrie.windows.installer_codes import DOWNGRADE_MARK

CABINET = "eyrie.cab"
FEATURE = "Agent"
SETTINGS_COMPONENT = "component.settings"
SERVICE_COMPONENT = "component.file.python_pythonw.exe"
REMEMBERED = {"EYRIE_SERVER": "Server", "EYRIE_POOL": "Pool"}
"""Properties that a repair or an upgrade without them finds again in the registry."""
IN_USE = "EYRIE_RELEASE"
"""The release that the service names; the installer's step `adopt` writes it down."""
REGISTERED = "EYRIE_SERVICE"
"""The service's command line before the installation; empty if there is no service."""

_NAMESPACE = "http://schemas.microsoft.com/wix/2006/wi"
_WINDOWS = {601: "Windows 7", 603: "Windows 8.1"}


def render(package: Package) -> bytes:
    """Return the source that wixl compiles; the files lie in `files/KEY` beside it."""
    root = Element("Wix", xmlns=_NAMESPACE)
    product = SubElement(
        root,
        "Product",
        Id=package.product_code or guid("product", "none yet"),
        Name=PRODUCT,
        Language="1033",
        Codepage="1252",
        Version=str(package.version),
        Manufacturer=MANUFACTURER,
        UpgradeCode=UPGRADE_CODE,
    )
    SubElement(
        product,
        "Package",
        InstallerVersion="500",  # the first that knows of services' failure actions; Windows 7 has it
        Compressed="yes",
        InstallScope="perMachine",
        Description=f"{PRODUCT} {package.version}",
        Comments="Takes this desktop into the office's compute pool while nobody uses it.",
        Manufacturer=MANUFACTURER,
    )
    SubElement(product, "Media", Id="1", Cabinet=CABINET, EmbedCab="yes")
    _properties(product, package)
    _conditions(product, package)
    components = _directories(product, package)
    feature = SubElement(product, "Feature", Id=FEATURE, Title=PRODUCT, Level="1")
    for component in components:
        SubElement(feature, "ComponentRef", Id=component)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _properties(product: Element, package: Package) -> None:
    values = {
        "ARPNOMODIFY": "1",
        "ARPCOMMENTS": f"Release {package.release or 'none'}. No inbound port is opened.",
        "ARPURLINFOABOUT": package.url,
        "ARPHELPLINK": package.url,
        # Without it only administrators' properties reach the part that runs as SYSTEM.
        "SecureCustomProperties": ";".join(["EYRIE_ENROLMENT", "EYRIE_NEWER", "EYRIE_OLDER", *REMEMBERED]),
        "MsiHiddenProperties": "EYRIE_ENROLMENT",
    }
    for name, value in values.items():
        if value:
            SubElement(product, "Property", Id=name, Value=value)
    searches = {f"SAVED_{name}": (REGISTRY_KEY, value) for name, value in REMEMBERED.items()}
    searches[IN_USE] = (REGISTRY_KEY, "Release")
    searches[REGISTERED] = (rf"SYSTEM\CurrentControlSet\Services\{SERVICE}", "ImagePath")
    for name, (key, value) in searches.items():
        found = SubElement(product, "Property", Id=name)
        SubElement(
            found,
            "RegistrySearch",
            Id=f"search.{name}",
            Root="HKLM",
            Key=key,
            Name=value,
            Type="raw",
            Win64="yes",
        )


def _conditions(product: Element, package: Package) -> None:
    """A package may always be removed, whatever the desktop is by now."""
    newer = SubElement(
        product,
        "Condition",
        Message=f"{DOWNGRADE_MARK}: a newer {PRODUCT} than {package.version} is installed."
        " Remove it first if you want this version.",
    )
    newer.text = "Installed OR NOT EYRIE_NEWER"
    windows = SubElement(
        product,
        "Condition",
        Message=f"This {PRODUCT} needs {_WINDOWS[package.windows]} or newer, 64 bits.",
    )
    windows.text = f"Installed OR (VersionNT64 >= {package.windows})"


def _directories(product: Element, package: Package) -> list[str]:
    """Declare folders and components; return the components' identifiers."""
    target = SubElement(product, "Directory", Id="TARGETDIR", Name="SourceDir")
    programs = SubElement(target, "Directory", Id="ProgramFiles64Folder")
    install = SubElement(programs, "Directory", Id="INSTALLDIR", Name="Eyrie")
    versions = SubElement(install, "Directory", Id="VERSIONSDIR", Name="versions")
    release = SubElement(versions, "Directory", Id="RELEASEDIR", Name=package.release or "none")
    python = SubElement(release, "Directory", Id="PYTHONDIR", Name="python")
    names = [_settings(install, package)]
    for member in package.members:
        folder = python if member.path.startswith("python/") else release
        names.append(_file(folder, package, member))
    return names


def _file(folder: Element, package: Package, member: Member) -> str:
    """One component a file: Windows repairs what has a key path."""
    name = f"component.{member.key}"
    component = SubElement(
        folder, "Component", Id=name, Guid=guid("file", package.release, member.path), Win64="yes"
    )
    SubElement(
        component,
        "File",
        Id=member.key,
        Name=member.path.rpartition("/")[2],
        Source=f"files/{member.key}",
        KeyPath="yes",
    )
    if name == SERVICE_COMPONENT:
        _service(component)
    return name


def _service(component: Element) -> None:
    SubElement(
        component,
        "ServiceInstall",
        Id="service",
        Name=SERVICE,
        DisplayName=PRODUCT,
        Description="Lets this desktop work for the office's compute pool while nobody uses it.",
        Type="ownProcess",
        Start="auto",
        ErrorControl="normal",
        Arguments=f'-B "[RELEASEDIR]{AGENT}" service',
    )
    SubElement(
        component,
        "ServiceControl",
        Id="service",
        Name=SERVICE,
        Stop="both",
        Remove="uninstall",
        Wait="yes",
    )
    # Whether it came up is for `check` to say, which gives a busy desktop more than one try.
    SubElement(component, "ServiceControl", Id="start", Name=SERVICE, Start="install", Wait="no")


def _settings(install: Element, package: Package) -> str:
    """One component for all releases: upgrades rewrite it. The secret is written elsewhere, see `tables`."""
    component = SubElement(
        install, "Component", Id=SETTINGS_COMPONENT, Guid=guid("component", "settings"), Win64="yes"
    )
    values = {"Version": str(package.version), "InstallDir": "[INSTALLDIR]"}
    values.update({value: f"[{name}]" for name, value in REMEMBERED.items()})
    for name, value in values.items():
        row = {"Root": "HKLM", "Key": REGISTRY_KEY, "Name": name, "Type": "string", "Value": value}
        SubElement(component, "RegistryValue", row, **({"KeyPath": "yes"} if name == "Version" else {}))
    return SETTINGS_COMPONENT
