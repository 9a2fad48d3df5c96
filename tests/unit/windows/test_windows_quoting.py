# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess

import cmd_model
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.windows import quoting

SPECIAL = "\\\"^&|<>()!@ \t,;='%*?[]{}~$#+-/."
LETTERS = st.one_of(
    st.sampled_from(SPECIAL),
    st.characters(codec="utf-16-le", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
)
WORDS = st.text(LETTERS, max_size=24)
SAFE_WORDS = st.text(LETTERS.filter(lambda sign: sign != "%"), max_size=24)
PROGRAMS = st.text(LETTERS.filter(lambda sign: sign not in '"%'), min_size=1, max_size=24).filter(str.strip)


@given(PROGRAMS, st.lists(WORDS, max_size=5))
@example("C:\\Program Files\\Eyrie\\", ["a\\", '\\"', "", "b c\\\\"])
def test_a_program_gets_its_arguments(program: str, words: list[str]) -> None:
    assert cmd_model.argv(quoting.program_line([program, *words])) == [program, *words]


@given(PROGRAMS, st.lists(SAFE_WORDS, max_size=5))
@example("msiexec", ['a"&calc"', "^", '"', "x^", "a & b", "(", ")", '">out'])
def test_arguments_pass_through_cmd_untouched(program: str, words: list[str]) -> None:
    line = cmd_model.slash_c(quoting.for_slash_c(quoting.command_line([program, *words])))
    assert cmd_model.argv(cmd_model.create_process(line)) == [program, *words]


@given(PROGRAMS, st.lists(SAFE_WORDS, max_size=3))
def test_the_stand_in_for_slash_c_agrees(program: str, words: list[str]) -> None:
    given_line = quoting.for_slash_c(quoting.command_line([program, *words]))
    assert quoting.after_slash_c(given_line) == cmd_model.slash_c(given_line)


@given(st.lists(WORDS, max_size=5))
def test_the_standard_library_means_the_same(words: list[str]) -> None:
    assert cmd_model.argv(subprocess.list2cmdline(["x", *words])) == cmd_model.argv(
        quoting.program_line(["x", *words])
    )


@pytest.mark.parametrize(
    ("given_line", "run"),
    [
        ("echo hi", "echo hi"),
        ('"C:\\Program Files\\x.exe"', '"C:\\Program Files\\x.exe"'),
        ('"C:\\a b\\x.exe" "c d"', 'C:\\a b\\x.exe" "c d'),
        ('""C:\\a b\\x.exe" "c d""', '"C:\\a b\\x.exe" "c d"'),
        ('"echo hi && exit 3"', "echo hi && exit 3"),
        ('"hostname"', "hostname"),
    ],
)
def test_what_slash_c_runs(given_line: str, run: str) -> None:
    assert quoting.after_slash_c(given_line) == run


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "\0", "\x1a", "\x7f", "\ud800", "\uffff"])
def test_refuses_what_no_line_can_carry(bad: str) -> None:
    for write in (quoting.program_line, quoting.command_line):
        with pytest.raises(EyrieError, match="no character U\\+"):
            write(["x", bad])
        with pytest.raises(EyrieError, match="no character U\\+"):
            write([bad])


@pytest.mark.parametrize("bad", ["%PATH%", "50%", "%", 'a"%TEMP%'])
def test_refuses_percent_for_cmd_alone(bad: str) -> None:
    assert cmd_model.argv(quoting.program_line(["x", bad])) == ["x", bad]
    with pytest.raises(EyrieError, match="variable"):
        quoting.command_line(["x", bad])


@pytest.mark.parametrize("bad", [[], [""], [" "], ['a"b']])
def test_refuses_a_program_without_a_name(bad: list[str]) -> None:
    with pytest.raises(EyrieError, match="name of a program"):
        quoting.command_line(bad)


def test_knows_how_long_a_line_may_be() -> None:
    longest = quoting.CMD_LENGTH - len("cmd /c x ")
    assert quoting.command_line(["x", "a" * longest])
    with pytest.raises(EyrieError, match="standard input"):
        quoting.command_line(["x", "a" * (longest + 1)])
    with pytest.raises(EyrieError, match="length"):
        quoting.command_line(["x", "\U0001f600" * (longest // 2 + 1)])


def test_writes_a_property() -> None:
    assert quoting.msi_property("SERVER", "https://pool (a), b!") == 'SERVER="https://pool (a), b!"'


@pytest.mark.parametrize("bad", [*'%"^&|<>', "C:\\", "a\nb"])
def test_refuses_values_msiexec_or_cmd_would_change(bad: str) -> None:
    with pytest.raises(EyrieError):
        quoting.msi_property("SERVER", "x" + bad)


@pytest.mark.parametrize("bad", ["", "server", "A B", 'A="x" B', "1A"])
def test_refuses_what_is_no_property(bad: str) -> None:
    with pytest.raises(EyrieError, match="name of an MSI property"):
        quoting.msi_property(bad, "x")
