# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The self-test in Kit, for ``--exec "selftest.py --out DIR"``: ten minutes, once, by someone with a GPU.

The report answers which calls of Kit do what the extension relies on. Commands: docs/isaac_sim.md.
"""

import sys

import omni.kit.app

if __name__ == "__main__":
    try:
        from omni_graspd.kit.selftest.run import start
    except ModuleNotFoundError as error:
        sys.stderr.write(f"error: expected the module {error.name}, got none; start Kit with --enable omni.graspd\n")
        omni.kit.app.get_app().post_quit(2)
    else:
        start()
