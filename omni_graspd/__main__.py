# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``python -m omni_graspd`` is the command ``graspd``."""

from omni_graspd.cli.main import main

if __name__ == "__main__":
    main()
