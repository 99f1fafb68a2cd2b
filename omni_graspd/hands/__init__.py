# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Hands: USD articulations read into links, joints, limits, couplings and surface points."""
