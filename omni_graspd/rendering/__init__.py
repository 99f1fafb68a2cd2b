# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Rendering: annotator channels, cameras, and the files they become; names and layout follow Replicator."""
