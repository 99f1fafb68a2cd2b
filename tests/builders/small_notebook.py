# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What makes the grasps of a notebook quick to find and its pictures small; its cells stay as they are."""

SMALL_CELL = """
import functools
import omni_graspd as gd
config = gd.SynthesisConfig(iterations=10, tries=1, point_count=300)
gd.synthesize = functools.partial(gd.synthesize, config=config)
gd.Grasps.show = functools.partialmethod(gd.Grasps.show, size=48)
"""
"""A cell to be run before all others."""
