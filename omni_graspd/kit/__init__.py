# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Adapters inside Omniverse Kit: the only place that imports omni, carb or isaacsim."""

from .extension import GraspdExtension as GraspdExtension
