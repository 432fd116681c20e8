from __future__ import annotations

import pytest

from app.services import site_import


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("名单.xlsx", "名单.xlsx"),
        ("../a/b:c.csv", "_a_b_c.csv"),
        ("2026." + "考" * 80, ("2026." + "考" * 80).encode()[:200].decode(errors="ignore")),
        ("考" * 100 + ".xlsx", "考" * 65 + ".xlsx"),
        ("...", "file"),
    ],
)
def test_a_file_keeps_its_name_as_far_as_a_disk_takes_it(name, kept):
    assert site_import.file_name(name) == kept
    assert len(kept.encode()) <= 200
