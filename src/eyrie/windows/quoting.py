# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that writes command lines for Windows.

Two parsers read them, one after the other: cmd.exe, and CommandLineToArgvW (or the C runtime) of the program
started. What no quoting brings through both is refused, never changed. Delayed expansion (`cmd /v:on`, off by
default) is not accounted for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from eyrie.errors import EyrieError

CMD_LENGTH = 8191
"""Longest line cmd.exe takes, in UTF-16 units, `cmd /c ` included."""

PROCESS_LENGTH = 32767
"""Longest line CreateProcess takes, the closing NUL included."""

_PLAIN = re.compile(r"[A-Za-z0-9_.:\\/@+~\[\]{}$#-]+")
_PLAIN_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:\\~-]*")
_CMD_META = re.compile(r'([()!^"<>&|])')
_PROPERTY = re.compile(r"[A-Z_][A-Z0-9_.]*")
_NOT_IN_PROPERTIES = '%"^&|<>'


def argument(value: str) -> str:
    """Quote one argument, not the program's name, so that CommandLineToArgvW gives it back."""
    _refuse_controls(value)
    return value if _PLAIN.fullmatch(value) else _quoted(value)


def program_line(argv: Sequence[str]) -> str:
    """Write the line for CreateProcess: a program and its arguments, no cmd.exe between."""
    return _limited(" ".join([_program(argv), *map(argument, argv[1:])]), PROCESS_LENGTH - 1)


def command_line(argv: Sequence[str]) -> str:
    """Write a program and its arguments as typed at cmd.exe's prompt; such lines may be joined by `&&`."""
    return _limited(" ".join([_for_cmd(_program(argv)), *(_cmd_argument(each) for each in argv[1:])]))


def for_slash_c(line: str) -> str:
    """Turn a line as typed at the prompt into what `cmd /c` must be given to run it."""
    # Where the line starts with a quote, `cmd /c` takes that one and the last one away, unless it finds just
    # two and a program's name between; one pair more makes four, and that case is out.
    return _limited(f'"{line}"' if line.lstrip().startswith('"') else line)


def after_slash_c(given: str) -> str:
    """Return the line that `cmd /c` runs when it is given this one, for commands of several words."""
    text = given.lstrip()
    if not text.startswith('"') or (text.count('"') == 2 and _names_a_program(text)):
        return given
    end = text.rindex('"')
    return given if end == 0 else text[1:end] + text[end + 1 :]


def msi_property(name: str, value: str) -> str:
    """Write NAME="value" for msiexec's command line, which has rules of its own."""
    if not _PROPERTY.fullmatch(name):
        raise _refused("name of an MSI property", name, "capital letters, digits, `_` and `.`")
    _refuse_controls(value)
    if any(sign in value for sign in _NOT_IN_PROPERTIES) or value.endswith("\\"):
        wanted = f"none of {' '.join(_NOT_IN_PROPERTIES)} and no backslash at its end"
        raise _refused(f"value of the MSI property {name}", value, wanted)
    return f'{name}="{value}"'


def _program(argv: Sequence[str]) -> str:
    name = argv[0] if argv else ""
    _refuse_controls(name)
    # The first word knows no escapes: a quote ends it, backslashes are plain.
    if not name.strip() or '"' in name:
        raise _refused("name of a program", name, 'a path without `"`')
    return name if _PLAIN_PROGRAM.fullmatch(name) else f'"{name}"'


def _quoted(value: str) -> str:
    doubled = re.sub(r'(\\*)"', r'\1\1\\"', value)
    return '"' + re.sub(r"(\\+)$", r"\1\1", doubled) + '"'


def _cmd_argument(value: str) -> str:
    return _for_cmd(argument(value))


def _for_cmd(word: str) -> str:
    # On a command line, as opposed to a batch file, nothing escapes `%`: `%%` stays two, and `^%NAME^%` works
    # only as long as no variable has the odd name.
    if "%" in word:
        raise _refused("word for cmd.exe", word, "no `%`: cmd.exe would put a variable's value there")
    # Without a quote inside, cmd takes all that stands between the quotes as it is. With one, cmd's idea of
    # what is quoted differs from the program's, so that cmd must see no quote at all.
    inner = word[1:-1] if word.startswith('"') else word
    return _CMD_META.sub(r"^\1", word) if '"' in inner else word


def _names_a_program(text: str) -> bool:
    inner = text[1 : text.rindex('"')]
    return " " in inner and not re.search(r"[&<>()@^|]", text) and text.endswith('"')


def _refuse_controls(value: str) -> None:
    for sign in value:
        code = ord(sign)
        if (
            (code < 32 and sign != "\t")
            or code == 127
            or 0xD800 <= code <= 0xDFFF
            or code in (0xFFFE, 0xFFFF)
        ):
            raise _refused("word of a Windows command line", value, f"no character U+{code:04X}")


def _limited(line: str, most: int = CMD_LENGTH - len("cmd /c ")) -> str:
    length = len(line.encode("utf-16-le", "surrogatepass")) // 2
    if length > most:
        raise EyrieError(
            "length of a Windows command line",
            seen=length,
            wanted=f"at most {most} characters",
            next_step="hand long data over on standard input",
        )
    return line


def _refused(thing: str, seen: str, wanted: str) -> EyrieError:
    return EyrieError(
        thing, seen=seen, wanted=wanted, next_step="hand the value over on standard input instead"
    )
