# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for any changes: the image then holds what was wished, nothing else changed, and it is sound."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_samples import empty_minix, minix_faults

from eyrie.errors import EyrieError
from eyrie.images import ImageFile, Remove
from eyrie.images.cpio import CpioFormat
from eyrie.images.cpio.archive import Segment
from eyrie.images.minix import MinixFormat

PATHS = [f"/{a}/{b}" for a in ("bin", "etc") for b in ("one", "two", "three")] + ["/top", "/etc/deep/er"]
WISHES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(PATHS), st.binary(max_size=3000), st.sampled_from([0o600, 0o4755])),
        st.tuples(st.sampled_from(PATHS), st.none(), st.none()),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return empty_minix(tmp_path_factory.mktemp("minix") / "image")


def contents(image: MinixFormat | CpioFormat) -> dict[str, tuple[bytes, int]]:
    files = [member for member in image.list() if not member.is_folder]
    return {file.path: (image.extract(file.path), file.mode & 0o7777) for file in files}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=WISHES, one_by_one=st.booleans(), minix=st.booleans())
def test_an_image_holds_what_was_wished(
    empty: bytes, tmp_path: Path, wishes: list[tuple[str, bytes, int]], one_by_one: bool, minix: bool
) -> None:
    form = MinixFormat if minix else CpioFormat
    data = empty if minix else Segment(False, [[]], None).packed()
    model: dict[str, tuple[bytes, int]] = {}
    batch: list[ImageFile | Remove] = []
    for path, content, mode in wishes:
        if content is None and path not in model:
            with pytest.raises(EyrieError, match="nothing of that name"):
                form(data).edited([*batch, Remove(path)])
            continue
        if content is None:
            batch.append(Remove(path))
            del model[path]
        else:
            batch.append(ImageFile(path, mode, 1, 2, content))
            model[path] = (content, mode)
        if one_by_one:
            data, batch = form(data).edited(batch), []
    data = form(data).edited(batch)
    assert contents(form(data)) == model
    assert form(data).edited([]) == data
    if minix:
        assert minix_faults(data, tmp_path / "check") == ""
