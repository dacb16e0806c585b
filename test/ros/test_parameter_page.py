"""docs/parameters.md: made from the table, and the one in the repository is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from caer_ros.ros import parameter_page
from caer_ros.ros.parameter_table import SPECS, When


def row(name: str) -> list[str]:
    """The cells of a parameter's row."""
    rows = [line for line in parameter_page.page().splitlines() if line.startswith(f"| `{name}` |")]
    assert len(rows) == 1, f"{name} has {len(rows)} rows"
    return [cell.strip() for cell in rows[0].replace("\\|", "").strip("|").split("|")]


def test_the_page_in_the_repository_is_up_to_date(root):
    written = (root / "docs" / "parameters.md").read_text()
    assert written == parameter_page.page(), "run `python -m caer_ros.ros.parameter_page`"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_parameter_has_one_row(spec):
    cells = row(spec.name)
    assert len(cells) == 6
    assert cells[5] == spec.description.replace("|", "")
    assert all(f"`{choice}`" in cells[3] for choice in spec.choices)


def test_rows_say_type_default_range_and_when():
    assert row("detector_threshold")[1:5] == ["number", "`0.5`", "0.05 to 1", "any time"]
    assert row("record_limit_mb")[1:5] == ["whole number", "`1000`", "1 to 1 000 000", "any time"]
    assert row("autostart")[1:5] == ["switch", "true", "", "at start"]
    assert row("snapshot_folder")[1:3] == ["text", "empty"]
    assert row("image_topics")[1:3] == ["texts", "none"]


def test_groups_are_the_files(tmp_path: Path):
    values = tmp_path / "values.yaml"
    values.write_text(
        "/**:\n  ros__parameters:\n    # --- who; at any time ---\n    min_face: 1.0 # px: a\n"
        "    # a remark: no parameter\n    # --- rest ---\n    autostart: true\n"
    )
    text = parameter_page.page(values)
    assert text.index("## Who\n") < text.index("`min_face`") < text.index("## Rest\n")
    assert "`autostart`" in text
    assert "`model`" not in text
    for when in When:
        assert when.value in text


def test_check_tells_a_page_out_of_date(root, monkeypatch, capsys):
    written = (root / "docs" / "parameters.md").read_text()
    monkeypatch.setattr(parameter_page, "page", lambda: written)
    assert parameter_page.main(["--check"]) == 0
    monkeypatch.setattr(parameter_page, "page", lambda: "other")
    assert parameter_page.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
