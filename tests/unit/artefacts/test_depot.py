# SPDX-License-Identifier: GPL-3.0-or-later
"""The depot takes what the catalogue knows by hash, nothing else, and never half."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyrie.artefacts.catalogue import Artefact, for_pool, load
from eyrie.artefacts.depot import Depot
from eyrie.cli import depot as command
from eyrie.errors import EyrieError

CONTENT = b"kernel\n"
HASH = hashlib.sha256(CONTENT).hexdigest()
PATCH_MD5 = hashlib.md5(b"patch").hexdigest()


def artefact(name: str, file: str, sha256: str | None, **facts: object) -> Artefact:
    plain = {"description": "d", "version": "1", "published": "a project", "licence": "GPL"}
    return Artefact(name=name, file=file, sha256=sha256, **{**plain, "size": None, "pools": ("vm",), **facts})  # type: ignore[arg-type]


CATALOGUE = {
    "kernel": artefact("kernel", "BZIMAGE", HASH, size=len(CONTENT)),
    "patch": artefact("patch", "a.patch", None, size=5, md5=PATCH_MD5, pools=("source",)),
}


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot(tmp_path / "depot", CATALOGUE)


def put(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def test_a_file_is_known_by_its_hash_whatever_its_name(depot: Depot, tmp_path: Path) -> None:
    (taken,) = depot.add(put(tmp_path / "in", "vmlinuz-om", CONTENT))
    assert (taken.artefact, taken.outcome) == ("kernel", "added")
    assert depot.path("kernel") == tmp_path / "depot" / HASH / "BZIMAGE"
    assert depot.path("kernel").read_bytes() == CONTENT
    assert depot.path("kernel").stat().st_mode & 0o777 == 0o644
    assert [each.outcome for each in depot.add(tmp_path / "in/vmlinuz-om")] == ["there"]


def test_a_wrong_hash_is_refused_with_both_hashes(depot: Depot, tmp_path: Path) -> None:
    (taken,) = depot.add(put(tmp_path / "in", "bzImage", b"other"))
    seen = hashlib.sha256(b"other").hexdigest()
    assert taken.outcome == "refused"
    assert f"found 'SHA-256 {seen}'" in str(taken.error)
    assert f"wanted SHA-256 {HASH}" in str(taken.error)
    assert not (tmp_path / "depot").exists()


def test_a_folder_is_searched_and_good_files_are_taken_beside_bad_ones(depot: Depot, tmp_path: Path) -> None:
    put(tmp_path / "in", "README", b"x")
    put(tmp_path / "in/sub", "good", CONTENT)
    put(tmp_path / "in", "A.PATCH", b"patch")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/dangling").symlink_to("nowhere")
    outcomes = {each.artefact: each.outcome for each in depot.add(tmp_path / "in")}
    assert outcomes == {"patch": "refused", "kernel": "added"}


def test_what_no_catalogue_knows_is_refused(depot: Depot, tmp_path: Path) -> None:
    for path in (put(tmp_path / "in", "README", b"x"), tmp_path / "in", tmp_path / "nowhere"):
        with pytest.raises(EyrieError, match=str(path)):
            depot.add(path)


def test_an_unverified_file_is_used_only_after_the_operator_pinned_it(depot: Depot, tmp_path: Path) -> None:
    file = put(tmp_path / "in", "a.patch", b"patch")
    (refused,) = depot.add(file)
    assert f"eyrie depot pin patch {file}" in str(refused.error)
    with pytest.raises(EyrieError, match="unverified"):
        depot.path("patch")
    with pytest.raises(EyrieError, match="found '1 bytes', wanted 5 bytes"):
        depot.pin("patch", put(tmp_path / "in", "other", b"x"))
    with pytest.raises(EyrieError, match="MD5"):
        depot.pin("patch", put(tmp_path / "in", "other", b"other"))
    depot.pin("patch", file)
    again = Depot(depot.root, CATALOGUE)
    assert again.path("patch").read_bytes() == b"patch"
    assert [each.outcome for each in again.add(file)] == ["there"]


def test_a_hash_of_the_catalogue_cannot_be_pinned_away(depot: Depot, tmp_path: Path) -> None:
    with pytest.raises(EyrieError, match="its hash is in the catalogue"):
        depot.pin("kernel", put(tmp_path / "in", "x", b"x"))


def test_a_file_that_rotted_is_found_and_put_right(depot: Depot, tmp_path: Path) -> None:
    source = put(tmp_path / "in", "x", CONTENT)
    depot.add(source)
    depot.path("kernel").write_bytes(b"rotten\n")
    assert len(depot.verify()) == 1
    with pytest.raises(EyrieError, match=HASH):
        depot.path("kernel")
    assert [each.outcome for each in depot.add(source)] == ["added"]
    assert depot.verify() == []
    assert list((depot.root / HASH).iterdir()) == [depot.root / HASH / "BZIMAGE"]


def test_a_copy_that_fails_leaves_nothing(
    depot: Depot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_source: object, target: str) -> None:
        Path(target).write_bytes(CONTENT[:3])

    monkeypatch.setattr("eyrie.artefacts.depot.shutil.copyfile", half)
    with pytest.raises(EyrieError, match="is not kernel"):
        depot.add(put(tmp_path / "in", "x", CONTENT))
    assert not depot.has("kernel")
    assert list((depot.root / HASH).iterdir()) == []


def test_missing_says_what_a_pool_lacks(depot: Depot, tmp_path: Path) -> None:
    assert [each.name for each in depot.missing(for_pool(CATALOGUE, None))] == ["kernel", "patch"]
    depot.add(put(tmp_path / "in", "x", CONTENT))
    assert depot.missing(for_pool(CATALOGUE, "vm")) == []
    with pytest.raises(EyrieError, match="one of source, vm"):
        for_pool(CATALOGUE, "windows")


def test_the_projects_own_catalogue_invents_no_hash() -> None:
    catalogue = load()
    seen = {name for name, each in catalogue.items() if each.sha256 and not each.sums}
    chaos, windows = (
        {"chaos_kernel", "chaos_ramdisk"},
        {"windows_python", "windows_python_38", "windows_qemu"},
    )
    assert seen == chaos | windows
    assert {name for name, each in catalogue.items() if each.sums} == {
        "linux_source",
        "openmosix_patch",
        "openmosix_tools",
    }
    assert all(each.size for each in catalogue.values() if each.sha256)
    assert {each.name for each in for_pool(catalogue, "openmosix")} == chaos
    assert {each.name for each in for_pool(catalogue, "windows")} == windows


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("artefacts: []", "a mapping `artefacts`"),
        ("artefacts: {x: {", "wanted YAML"),
        ("artefacts: {X: {}}", "small letters"),
        ("artefacts: {x: {sha1: 0}}", "a mapping of"),
        ("artefacts: {x: {description: a, version: 1}}", "version: found 1, wanted text"),
    ],
)
def test_a_broken_catalogue_is_named(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(EyrieError, match=sentence):
        load(put(tmp_path, "artefacts.yml", text.encode()))


def test_the_command_says_what_it_did_and_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load", lambda: CATALOGUE)

    def eyrie(*words: object) -> tuple[int, str]:
        done = CliRunner().invoke(command.app, [*map(str, words), "--depot", str(tmp_path / "depot")])
        return done.exit_code, done.stdout

    assert eyrie("missing", "--for", "vm") == (
        1,
        f"kernel: BZIMAGE 1, published by a project\n    SHA-256 {HASH}; then: eyrie depot add FILE\n",
    )
    assert eyrie("add", put(tmp_path / "in", "x", CONTENT)) == (0, "kernel: added\n")
    assert eyrie("missing", "--for", "vm") == (0, "")
    assert eyrie("add", put(tmp_path / "in", "BZIMAGE", b"x"))[0] == 1
    code, told = eyrie("pin", "patch", put(tmp_path / "in", "p", b"patch"))
    assert (code, "patch: pinned to SHA-256" in told) == (0, True)
    assert eyrie("verify") == (0, "2 of 2 artefacts are there and whole\n")
    assert eyrie("list")[1].startswith("kernel: there: d\n")
