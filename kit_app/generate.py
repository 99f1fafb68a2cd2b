# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``graspd generate`` in Kit without a window, for Kit's ``--exec "generate.py --object mug --out DIR"``.

The script starts the run on Kit's loop and ends; Kit quits with the run's exit code. Commands: docs/isaac_sim.md.
"""

import sys

import omni.kit.app

if __name__ == "__main__":
    try:
        from omni_graspd.kit.headless import start
    except ModuleNotFoundError as error:
        sys.stderr.write(f"error: expected the module {error.name}, got none; start Kit with --enable omni.graspd\n")
        omni.kit.app.get_app().post_quit(2)
    else:
        start()
