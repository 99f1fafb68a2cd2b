# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Answers inside Isaac Sim what could not be settled outside: which calls of Kit do what this library relies on."""
