# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes: an object dropped on a table, and the grasps that go with it."""
