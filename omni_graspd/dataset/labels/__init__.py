# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a network learns from a view: where on the object it is good to touch, and the grasps before each camera."""
