# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions as Windows Installer compares them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyrie.errors import EyrieError
from eyrie.msi.version import MsiVersion, parse

VERSIONS = st.builds(MsiVersion, st.integers(0, 255), st.integers(0, 255), st.integers(0, 65535))


def packed(version: MsiVersion) -> int:
    """As the installer stores it: a byte, a byte and a word."""
    return version.major << 24 | version.minor << 16 | version.build


@given(VERSIONS, VERSIONS)
def test_order_is_that_of_the_installer(one: MsiVersion, other: MsiVersion) -> None:
    assert (one < other) == (packed(one) < packed(other))
    assert (one == other) == (str(one) == str(other))


@given(VERSIONS)
def test_text_and_back(version: MsiVersion) -> None:
    assert parse(str(version)) == version


@pytest.mark.parametrize(
    "text",
    (
        *("", "1", "1.2", "1.2.3.4", "1.2.3-rc1", "1.2.3+g1", "v1.2.3", "01.2.3", "1.2.3.dev0", "1.-2.3"),
        *("256.0.0", "0.256.0", "1.0.65536", " 1.2.3", "1.2.3\n", "\u0661.\u0662.\u0663"),
    ),
)
def test_what_windows_would_not_see_is_refused(text: str) -> None:
    with pytest.raises(EyrieError, match="three numbers"):
        parse(text)
