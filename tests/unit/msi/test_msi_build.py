# SPDX-License-Identifier: GPL-3.0-or-later
"""The MSI as wixl and msibuild make it: the same everywhere, read back, signed."""

from __future__ import annotations

import datetime
import json
import subprocess
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msi_samples import sample
from typer.testing import CliRunner

from eyrie.cli.msi import app
from eyrie.errors import EyrieError
from eyrie.msi import programs
from eyrie.msi.build import build
from eyrie.msi.identity import UPGRADE_CODE, guid
from eyrie.msi.programs import run
from eyrie.msi.show import show
from eyrie.msi.sign import Signer, sign
from eyrie.msi.summary import stamp

pytestmark = pytest.mark.slow


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(sample(), tmp_path / "one" / "a.msi")
    time.sleep(2.1)  # a cabinet counts in steps of two seconds
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    second = build(sample(), tmp_path / "another, with blanks" / "b.msi")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_the_time_is_the_one_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    built = build(sample(), tmp_path / "a.msi")
    summary = run(["msiinfo", "suminfo", built.path]).decode()
    assert "Created: Tue Nov 14 22:13:20 2023" in summary
    assert "Last saved: Tue Nov 14 22:13:20 2023" in summary
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(EyrieError, match="SOURCE_DATE_EPOCH"):
        build(sample(), tmp_path / "b.msi")


def test_what_is_in_it_can_be_read_back(tmp_path: Path) -> None:
    package = sample()
    built = build(package, tmp_path / "a.msi")
    facts = show(built.path)
    assert (facts.sha256, facts.size, facts.signed) == (built.sha256, built.size, False)
    assert (facts.package_code, facts.release) == (package.package_code, package.release)
    assert dict(facts.files) == {member.path: len(member.data) for member in package.members}
    assert facts.properties["UpgradeCode"] == UPGRADE_CODE
    assert facts.properties["ProductCode"] == package.product_code
    assert facts.properties["ARPNOMODIFY"] == "1"

    done = CliRunner().invoke(app, ["show", str(built.path)])
    assert done.exit_code == 0 and built.sha256 in done.output
    done = CliRunner().invoke(app, ["show", "--json", str(built.path)])
    assert json.loads(done.output)["release"] == package.release


def test_a_package_of_others_is_refused(tmp_path: Path) -> None:
    path = build(sample(), tmp_path / "other.msi").path
    other = f"UPDATE `Property` SET `Value`='{guid('other')}' WHERE `Property`='UpgradeCode'"
    subprocess.run(["msibuild", path, "-q", other], check=True)
    with pytest.raises(EyrieError, match="a package of eyrie msi build"):
        show(path)


def test_a_warning_of_wixl_is_an_error(tmp_path: Path) -> None:
    """It exits 0 when it drops what it does not know."""
    source = tmp_path / "a.wxs"
    source.write_bytes(b'<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi"><Product Sekret="1"/></Wix>')
    with pytest.raises(EyrieError, match="wixl"):
        run(["wixl", "--output", "a.msi", "a.wxs"], cwd=tmp_path, quiet=True)


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(programs._ENVIRONMENT, "PATH", str(tmp_path))
    with pytest.raises(EyrieError, match="apt-get install msitools wixl"):
        build(sample(), tmp_path / "a.msi")


def test_a_file_without_summary_is_refused() -> None:
    with pytest.raises(EyrieError, match="summary information"):
        stamp(b"\0" * 4096, sample().package_code, 315532800)


def signer(folder: Path) -> Signer:
    """A test certificate: it proves nothing to anybody."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Eyrie test signer")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = Signer(folder / "cert.pem", folder / "key.pem")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made


def test_a_signature_holds_until_a_byte_changes(tmp_path: Path) -> None:
    built, by = build(sample(), tmp_path / "a.msi"), signer(tmp_path)
    sign(built.path, by)
    assert show(built.path).signed
    verify = ["osslsigncode", "verify", "-CAfile", str(by.certificate), "-in"]
    done = subprocess.run([*verify, str(built.path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    data = built.path.read_bytes()
    at = data.index(b"INSTALLDIR")
    changed = tmp_path / "changed.msi"
    changed.write_bytes(data[:at] + b"X" + data[at + 1 :])
    assert subprocess.run([*verify, str(changed)], capture_output=True, check=False).returncode != 0


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    built = build(sample(), tmp_path / "a.msi")
    with pytest.raises(EyrieError, match=r"key\.pem"):
        sign(built.path, Signer(built.path, tmp_path / "key.pem"))
    done = CliRunner().invoke(app, ["build", "--sign-key", "key.pem"])
    assert isinstance(done.exception, EyrieError) and "both" in str(done.exception)
