# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Adapters outside Kit: PhysX through ovphysx, images through Mitsuba."""
