# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The version, also in pyproject.toml and extension.toml."""

__version__ = "0.1.0"
