# SPDX-License-Identifier: GPL-3.0-or-later
"""`eyrie image`: files in root images, without mounting them."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import asdict
from pathlib import Path

import typer

from eyrie.artefacts.file_set import digest
from eyrie.errors import EyrieError
from eyrie.images import ImageFile, Member, Remove, edit, open_image
from eyrie.images.colinux.archive import files
from eyrie.images.colinux.build import build
from eyrie.images.colinux.changes import Wanted
from eyrie.images.target import write_whole
from eyrie.nodetable import parse

app = typer.Typer(
    no_args_is_help=True,
    help="List, add, replace, remove and extract files in a root image (Minix v1, ext2/3/4, cpio; plain or"
    " gzip'd) without mounting it. The image is never changed in place.",
)

IMAGE = typer.Argument(help="The root image.", show_default=False)
INSIDE = typer.Argument(help="Path inside the image.", show_default=False)
OUTPUT = typer.Option(..., "--output", "-o", help="The changed copy to write, readable by you alone.")
MODE = typer.Option(None, "--mode", help="Mode in octal; 0644 for a new file, a replaced one keeps its own.")
OWNER = typer.Option(None, "--owner", metavar="UID:GID", help="Owner; 0:0, or that of the file replaced.")


@app.command("list")
def list_(
    image: Path = IMAGE, as_json: bool = typer.Option(False, "--json", help="Print JSON, one object a file.")
) -> None:
    """Print what an image holds."""
    opened = open_image(image)
    members = opened.list()
    if as_json:
        files = [{**asdict(member), "mode": f"{member.mode:o}"} for member in members]
        typer.echo(json.dumps({"image": str(image), "format": opened.format, "files": files}))
        return
    for member in members:
        _echo(_line(member))


@app.command()
def extract(
    image: Path = IMAGE,
    path: str = INSIDE,
    output: Path | None = typer.Option(None, "--output", "-o", help="File to write; else standard output."),
) -> None:
    """Print a file's content, or what a symlink points at."""
    content = open_image(image).extract(path)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    if output.exists() and output.samefile(image):
        raise EyrieError(f"the output {output}", seen="the image itself", wanted="another file")
    write_whole(output, lambda new: new.write_bytes(content))


@app.command()
def add(
    image: Path = IMAGE,
    path: str = INSIDE,
    source: Path | None = typer.Argument(None, help="File that holds the content; '-' is standard input."),
    output: Path = OUTPUT,
    mode: str | None = MODE,
    owner: str | None = OWNER,
    directory: bool = typer.Option(False, "--directory", help="Make an empty folder."),
    symlink: str | None = typer.Option(None, help="Make a symlink to this target."),
) -> None:
    """Add a file, a folder or a symlink; folders that lead to it are made with 0755 and root."""
    if (source is not None) + directory + (symlink is not None) != 1:
        raise EyrieError("what to add", wanted="exactly one of: a file, --directory, --symlink TARGET")
    kind, data = stat.S_IFREG, b""
    bits = _mode(mode)
    if directory:
        kind, bits = stat.S_IFDIR, 0o755 if bits is None else bits
    elif symlink is not None:
        kind, data, bits = stat.S_IFLNK, os.fsencode(symlink), 0o777
    elif source is not None:
        data, bits = _content(source), 0o644 if bits is None else bits
    uid, gid = _owner(owner) or (0, 0)
    edit(image, output, [ImageFile(path, kind | (bits or 0), uid, gid, data, must_exist=False)])


@app.command()
def replace(
    image: Path = IMAGE,
    path: str = INSIDE,
    source: Path = typer.Argument(help="File that holds the content; '-' is standard input."),
    output: Path = OUTPUT,
    mode: str | None = MODE,
    owner: str | None = OWNER,
) -> None:
    """Replace a file that is there; mode and owner stay unless given."""
    uid, gid = _owner(owner) or (None, None)
    edit(image, output, [ImageFile(path, _mode(mode), uid, gid, _content(source), must_exist=True)])


@app.command()
def remove(
    image: Path = IMAGE,
    paths: list[str] = typer.Argument(help="Paths inside the image: files, symlinks, nodes, empty folders."),
    output: Path = OUTPUT,
) -> None:
    """Remove files."""
    edit(image, output, [Remove(path) for path in paths])


@app.command()
def colinux(
    base: Path = typer.Argument(help="ext2 or ext3, plain or gzip'd.", show_default=False),
    output: Path = typer.Option(..., "--output", "-o", help="The image to write."),
    archive: list[Path] = typer.Option(
        [], "--archive", help="tar of files to put in: the openMosix tools, the kernel's modules."
    ),
    node_table: Path | None = typer.Option(None, "--node-table", help="The pool's openmosix.map."),
    authorized_keys: Path | None = typer.Option(None, "--authorized-keys", help="Who may log in as root."),
    size_mib: int | None = typer.Option(None, "--size-mib", help="Enlarge the file system to this."),
    keep_root_password: bool = typer.Option(False, "--keep-root-password", help="Else it is taken away."),
) -> None:
    """Make the root image of coLinux guests of a base that boots with System V init or BusyBox.

    One image serves all desktops: a guest reads from its boot line who it is, and makes swap by its memory
    when it boots first. Ctrl-Alt-Del halts it cleanly, and services that look for hardware do not start.
    """
    table = _content(node_table).decode("utf-8", "surrogateescape") if node_table else ""
    if node_table:
        parse(table.encode("utf-8", "surrogateescape"), str(node_table))
    keys = _content(authorized_keys).decode("utf-8", "replace").splitlines() if authorized_keys else []
    wanted = Wanted(table, keys, [file for each in archive for file in files(each)], keep_root_password)
    for note in build(base, output, wanted, size_mib):
        typer.echo(note)
    typer.echo(f"{output}: {open_image(output).format}, sha256 {digest(output)}")


def _content(source: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(source) == "-" else source.read_bytes()
    except OSError as error:
        raise EyrieError(str(source), seen=error.strerror, wanted="a file that can be read") from error


def _mode(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.removeprefix("0o")
    if not digits or len(digits) > 5 or set(digits) - set("01234567") or int(digits, 8) > 0o7777:
        raise EyrieError("--mode", seen=text, wanted="octal digits such as 0644")
    return int(digits, 8)


def _owner(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    uid, _colon, gid = text.partition(":")
    if not (uid.isascii() and uid.isdigit() and gid.isascii() and gid.isdigit()):
        raise EyrieError("--owner", seen=text, wanted="two numbers such as 0:0")
    return int(uid), int(gid)


def _line(member: Member) -> str:
    size = f"{member.device[0]}, {member.device[1]}" if member.device else str(member.size)
    arrow = f" -> {member.target}" if member.is_link else ""
    return f"{stat.filemode(member.mode)} {member.uid}:{member.gid} {size} {member.path}{arrow}"


def _echo(line: str) -> None:
    """Print a line whose names need not be text."""
    typer.echo(line.encode("utf-8", "surrogateescape"))
