# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What arms can do about the grasps of a dataset: a table for each arm and scene."""
