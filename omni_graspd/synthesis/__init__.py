# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp synthesis by gradient descent through a differentiable contact simulation (paper, sections III and IV-A)."""
