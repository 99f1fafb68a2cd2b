# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Where PhysX has the links of articulations."""

from __future__ import annotations

from typing import Any

import numpy as np


def link_states(physx: Any) -> dict[str, np.ndarray]:
    """Return T_world_link [7] by link name."""
    from ovphysx.types import ObjectScope, SimObjectType

    columns: dict[str, dict[str, np.ndarray]] = {}
    attributes = ("position", "orientation")
    with physx.read_sync(SimObjectType.ARTICULATION_LINK, attributes, scope=ObjectScope.ALL) as result:
        for group in result.groups:
            attribute = result.dictionary.token_to_string(group.attribute)
            paths = result.dictionary.get_path_strings(group.prim_list)
            for path, value in zip(paths, group.tensors[0].numpy(), strict=True):
                columns.setdefault(path.rpartition("/")[2], {})[attribute] = value.astype(np.float64)
    return {name: np.concatenate([column[a] for a in attributes]) for name, column in columns.items()}
