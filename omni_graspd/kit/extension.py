# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What Kit starts and stops."""

from __future__ import annotations

import carb
import omni.ext

from omni_graspd import __version__


class GraspdExtension(omni.ext.IExt):
    """Makes the library importable in Kit; hands, objects, synthesis and metrics need nothing else of it."""

    def on_startup(self, ext_id: str) -> None:
        """Say which version runs."""
        carb.log_info(f"[{ext_id}] omni_graspd {__version__} started")

    def on_shutdown(self) -> None:
        """Release nothing: no window, no subscription is held."""
