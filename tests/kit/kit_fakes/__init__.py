# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Behaviour behind Kit's stubs. Names beginning with ``fake_`` are for tests; products of Kit have no such names."""
