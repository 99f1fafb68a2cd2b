# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The run without a window: the smallest dataset with Kit's physics and renderer."""

from __future__ import annotations

import tempfile
from pathlib import Path

import omni.kit.test

from omni_graspd.dataset.manifest import read_manifest
from omni_graspd.kit.headless import MENDABLE, OK, run
from omni_graspd.kit.selftest.app_steps import SMALL_RUN


class TestGenerate(omni.kit.test.AsyncTestCase):
    """``graspd generate`` inside Kit."""

    async def test_a_small_dataset_is_made(self) -> None:
        """One grasp, one scene, two images."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "dataset"
            self.assertEqual(await run([*SMALL_RUN, "--out", str(out)]), OK)
            counts = read_manifest(out).counts
            self.assertEqual((counts["scenes"], counts["images"]), (1, 2))

    async def test_a_wrong_option_is_refused(self) -> None:
        """With the code that says so."""
        self.assertEqual(await run(["--grasps", "0"]), MENDABLE)
