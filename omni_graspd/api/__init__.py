# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""What ``import omni_graspd as gd`` offers: the library in some thirty names."""
