# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Values that no schema allows are told when a stage is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.usd.stage import open_stage


@pytest.mark.parametrize("kind", ["Cylinder", "Cone", "Plane"])
def test_axes_of_shapes_are_x_y_or_z(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.usda"
    for axis in ("Y", "", "YZ", "token"):
        path.write_text(f'#usda 1.0\ndef {kind} "thing" {{\n    uniform token axis = "{axis}"\n}}\n')
        if axis == "Y":
            open_stage(path)
            continue
        with pytest.raises(GraspdError, match=rf"expected /thing\.axis .* to be X, Y or Z, got '{axis}'"):
            open_stage(path)
        path = tmp_path / f"thing_{axis}.usda"  # OpenUSD keeps what it has read


def test_attributes_of_the_user_may_be_called_axis(tmp_path: Path) -> None:
    path = tmp_path / "thing.usda"
    path.write_text('#usda 1.0\ndef Xform "thing" {\n    custom double3 axis = (0, 0, 1)\n}\n')
    assert open_stage(path)
