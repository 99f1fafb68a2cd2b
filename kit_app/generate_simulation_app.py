# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""``graspd generate`` with Isaac Sim's own Python: ``python.sh generate_simulation_app.py --object mug --out DIR``.

For those who start Isaac Sim from a script; ``generate.py`` does the same in a Kit that runs already.
"""

import os
import sys
from pathlib import Path

from isaacsim import SimulationApp

_EXTENSION = Path(__file__).resolve().parents[1]
_NEWER_KIT = 110
"""Major version of Kit from which on SimulationApp.close takes the exit code (Isaac Sim 6)."""


def main(arguments: list[str]) -> int:
    """Start Isaac Sim without a window, enable the extension, run, and return the exit code."""
    app = SimulationApp({"headless": True})
    import omni.kit.app

    code, takes_code = 1, False
    try:
        kit = omni.kit.app.get_app()
        takes_code = int(kit.get_kit_version().split(".")[0]) >= _NEWER_KIT
        manager = kit.get_extension_manager()
        manager.add_path(str(_EXTENSION.parent))
        manager.set_extension_enabled_immediate("omni.graspd", True)
        if manager.is_extension_enabled("omni.graspd"):
            from omni_graspd.kit.headless import run

            code = app.run_coroutine(run(arguments))
        else:
            sys.stderr.write(f"error: expected the extension omni.graspd in {_EXTENSION}; run graspd kit stage DIR\n")
            code = 2
    finally:
        sys.stdout.write(f"exit code {code}\n")
        sys.stdout.flush()
        if code and not takes_code:
            # There close() ends the process, and with 0. Progress was written, Isaac Sim's own files can wait.
            sys.stderr.flush()
            os._exit(code)
        app.close(**({"exit_code": code} if takes_code else {}))
    return code


if __name__ == "__main__":
    options, sys.argv[1:] = sys.argv[1:], []  # Kit would take them for its own
    sys.exit(main(options))
