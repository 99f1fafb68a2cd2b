# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The command ``graspd``: which command runs, and how it ends."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NoReturn

from omni_graspd.cli.commands import find_command, is_scene_render
from omni_graspd.cli.help_page import group_page, overview
from omni_graspd.cli.log import LOG, logging_run, take_log_options
from omni_graspd.errors import GraspdError
from omni_graspd.interrupts import ending_at_once, held_imports, held_interrupts, sigterm_like_ctrl_c
from omni_graspd.plain_text import shortened
from omni_graspd.version import __version__

_MENDABLE, _INTERRUPTED, _BROKEN_PIPE, _TERMINATED = 2, 130, 141, 143
_OF_NAMES = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EACCES)
"""What the system says of a name that a user gave."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and end the process if that fails.

    The exit code is 2 on what the user can mend, 130 on Ctrl-C, 143 on SIGTERM, and 141 if nobody reads what it prints.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Within another program, Ctrl-C is for that program, too.
    loading = ending_at_once(lambda number: _end(number, given)) if arguments is None else held_interrupts()
    ended: list[int] = []
    try:
        file, verbose, rest = take_log_options(given)
        with sigterm_like_ctrl_c(ended), held_imports(), logging_run(file, verbose, given):
            _run(rest, loading)
        sys.stdout.flush()
    except GraspdError as error:
        print(f"error: {error}", *filter(None, [error.listing]), sep="\n", file=sys.stderr)
        sys.exit(_MENDABLE)
    except KeyboardInterrupt:
        print(_stopped(given), file=sys.stderr)
        sys.exit(_TERMINATED if ended else _INTERRUPTED)
    except BrokenPipeError:
        # What is still in the buffer would raise once more when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN_PIPE)
    except OSError as error:
        if error.errno not in _OF_NAMES or error.filename is None:
            raise
        name = shortened(os.fsdecode(error.filename), 200)
        print(f"error: cannot use {name}: {error.strerror}; give another name", file=sys.stderr)
        sys.exit(_MENDABLE)
    except UnicodeEncodeError as error:
        # Bytes of a name that are no UTF-8 are surrogates to Python.
        if not "\udc80" <= error.object[error.start] <= "\udcff":
            raise
        around = shortened(error.object[max(0, error.start - 40) : error.start + 40])
        print(f"error: expected names in UTF-8, got {around}; rename the file or folder", file=sys.stderr)
        sys.exit(_MENDABLE)


def _stopped(arguments: Sequence[str]) -> str:
    return f"stopped; the same command {'starts over' if is_scene_render(arguments) else 'resumes where it stopped'}"


def _end(number: int, arguments: Sequence[str]) -> NoReturn:
    """End the process while modules are loaded, without those having a say."""
    LOG.info("stopped while modules were loaded")
    print(_stopped(arguments), file=sys.stderr, flush=True)
    os._exit(_TERMINATED if number == signal.SIGTERM else _INTERRUPTED)


def _run(arguments: Sequence[str], loading: AbstractContextManager[None]) -> None:
    if "--version" in arguments:
        print(f"graspd {__version__}")
        return
    if arguments[:1] == ["--print-completion"]:
        from omni_graspd.cli.completion import completion_script

        print(completion_script("".join(arguments[1:2])), end="")
        return
    quiet = "--quiet" in arguments
    command, rest = find_command([argument for argument in arguments if argument != "--quiet"])
    if not command.function:
        print(group_page(command) if command.name else overview())
        return
    # The modules of a command load Warp, PhysX and USD: help on all commands must not wait for them.
    # Errors of the work are not taken for tyro's, since it is done after tyro has read the arguments. trimesh takes
    # Ctrl-C for an optional package that does not load, and goes on.
    with loading:
        from omni_graspd.cli.console import open_console
        from omni_graspd.cli.run_command import parse_command
        from omni_graspd.quiet_warp import start_warp

        action = parse_command(command, rest)
        start_warp()
    action(open_console(quiet=quiet))
