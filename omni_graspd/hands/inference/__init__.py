# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What a hand's file does not say: palm, digits, approach, open posture."""
