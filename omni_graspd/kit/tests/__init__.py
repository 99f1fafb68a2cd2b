# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Tests that run inside Kit (``[[test]]`` in extension.toml), by omni.kit.test; outside, tests/kit runs them with stand-ins."""

scan_for_test_modules = True
