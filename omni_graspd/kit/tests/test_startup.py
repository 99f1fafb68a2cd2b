# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The extension after Kit has started it."""

from __future__ import annotations

import omni.kit.app
import omni.kit.test
import omni.replicator.core as rep


class TestStartup(omni.kit.test.AsyncTestCase):
    """What is there once the extension is enabled."""

    async def test_extension_and_writer_are_there(self) -> None:
        """Kit has called on_startup, and Replicator knows the writer."""
        self.assertTrue(omni.kit.app.get_app().get_extension_manager().is_extension_enabled("omni.graspd"))
        self.assertIn("GraspdWriter", rep.WriterRegistry.get_writers())
