# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp metrics: contacts, force closure, epsilon quality, penetration."""
