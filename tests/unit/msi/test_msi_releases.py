# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases as folders on the desktop; the paths that people use lead to the one that was adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyrie.msi.on_desktop.releases import image_path, publish, release_of, remove_others


def release(install: Path, name: str, *python: str) -> Path:
    folder = install / "versions" / name
    (folder / "python").mkdir(parents=True)
    for file in ("agent.pyz", "installer.pyz", *(f"python/{each}" for each in ("pythonw.exe", *python))):
        (folder / file).write_text(f"{file} of {name}")
    return folder


def published(install: Path) -> dict[str, str]:
    files = [path for path in install.rglob("*") if path.is_file() and "versions" not in path.parts]
    return {path.relative_to(install).as_posix(): path.read_text() for path in files}


def test_publish_replaces_one_release_by_another(tmp_path: Path) -> None:
    old, new = release(tmp_path, "1", "python38.dll"), release(tmp_path, "2", "python312.dll")
    for folder in (old, new, new):
        publish(folder, tmp_path)
        names = {"agent.pyz", "installer.pyz"} | {
            f"python/{path.name}" for path in (folder / "python").iterdir()
        }
        assert published(tmp_path) == {name: f"{name} of {folder.name}" for name in names}


def test_a_file_in_use_is_moved_out_of_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = release(tmp_path, "1"), release(tmp_path, "2")
    publish(old, tmp_path)
    real = Path.replace
    refused: list[Path] = []

    def replace(path: Path, target: Path) -> Path:
        """Windows' answer for a program that runs: nothing may take its name, but it may take another one."""
        if path.suffix == ".new" and target.name == "pythonw.exe" and target.exists():
            refused.append(target)
            raise PermissionError
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    publish(new, tmp_path)
    assert refused
    assert published(tmp_path)["python/pythonw.exe"] == "python/pythonw.exe of 2"


def test_command_line_and_back(tmp_path: Path) -> None:
    folder = release(tmp_path / "Program Files", "1")
    assert release_of(image_path(folder)) == folder
    (folder / "agent.pyz").unlink()
    assert release_of(image_path(folder)) is None


@pytest.mark.parametrize("image", [None, "", "C:\\Windows\\other.exe", '"', '""'])
def test_a_command_line_of_others_is_no_release(image: str | None) -> None:
    assert release_of(image) is None


def test_leaving_removes_all_but_what_the_installer_removes(tmp_path: Path) -> None:
    lost, current = release(tmp_path, "1"), release(tmp_path, "2")
    publish(current, tmp_path)
    remove_others(current, tmp_path)
    assert published(tmp_path) == {}
    assert current.is_dir() and not lost.exists()
