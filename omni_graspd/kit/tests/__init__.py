# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Tests inside Kit, run by omni.kit.test (``[[test]]`` in extension.toml); tests/kit runs them with stand-ins."""

scan_for_test_modules = True
