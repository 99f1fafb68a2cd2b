# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Robot arms that carry the hands: importing them, inverse kinematics, collisions, and which grasps they reach."""
