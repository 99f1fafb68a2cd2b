# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What Kit starts and stops."""

from __future__ import annotations

from contextlib import ExitStack

import carb
import omni.ext

from omni_graspd.version import __version__


class GraspdExtension(omni.ext.IExt):
    """Makes ``GraspdWriter`` known to Replicator and puts the panel into the menu Tools > Replicator."""

    def on_startup(self, ext_id: str) -> None:
        """Register the writer and add the menu entry; what comes after a failure is left out, what came before stays.

        Args:
            ext_id: Name and version of the extension, from Kit.
        """
        self._undo = ExitStack()
        # Imported here, so that a script can have the adapters without the panel and what it loads.
        from omni_graspd.kit.headless import stop_runs
        from omni_graspd.kit.writer import register_writer, unregister_writer

        self._undo.callback(stop_runs)
        register_writer()
        self._undo.callback(unregister_writer)

        from omni_graspd.kit.panel import PanelMenu

        menu = PanelMenu()
        self._undo.callback(menu.stop)
        menu.start()
        carb.log_info(f"[{ext_id}] omni_graspd {__version__} started")

    def on_shutdown(self) -> None:
        """Take everything back in the opposite order: menu entry, window and its tasks, writer, runs under way."""
        self._undo.close()
