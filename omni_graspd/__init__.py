# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Contact-rich dexterous grasps by differentiable simulation, with scenes and annotated images."""

__version__ = "0.1.0"
