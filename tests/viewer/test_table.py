# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The table under the object, as the page draws it."""

from __future__ import annotations

import numpy as np
import pytest

from omni_graspd.inspection.inspection import Inspection
from omni_graspd.viewer.grasp_scene import GraspScene
from omni_graspd.viewer.serve import page_server


@pytest.mark.parametrize("offset", [-0.04, pytest.param(0.03, marks=pytest.mark.slow)])
def test_the_top_of_the_drawn_table_is_the_plane_and_it_comes_and_goes(
    session: Inspection, port: int, offset: float
) -> None:
    plane = np.array([0.48, -0.6, 0.64, offset])
    with page_server(port, "test") as (server, _):
        scene = GraspScene(server.scene, "/grasp")
        scene.show(session.hand, session.object, session.posture)
        assert "table" not in scene._drawn
        scene.show(session.hand, session.object, session.posture, plane)
        drawn = scene._drawn["table"]
        heights = np.asarray(drawn.vertices) @ plane[:3] - offset
        assert heights.max() == pytest.approx(0.0, abs=1e-6)
        assert heights.min() > -0.002
        scene.show(session.hand, session.object, session.posture, plane.copy())
        assert scene._drawn["table"] is drawn
        scene.show(session.hand, session.object, session.posture)
        assert "table" not in scene._drawn
