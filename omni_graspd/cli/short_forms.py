# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Short forms of options that are used often, for all commands: each stands for an option where a command has it."""

from __future__ import annotations

from collections.abc import Sequence

SHORT_FORMS = {
    "--views": "--camera.views",
    "--stereo": "--camera.stereo",
    "--mono": "--camera.no-stereo",
    "--unit": "--intake.unit",
    "--scale": "--intake.scale",
    "--mass": "--intake.mass",
    "--density": "--intake.density",
    "--thicken": "--intake.repair.thicken",
    "--author": "--provenance.author",
    "--license": "--provenance.license",
    "--thresholds": "--settings.thresholds",
    "--hold-test": "--settings.hold-test",
    "--no-hold-test": "--settings.no-hold-test",
    "--lift": "--settings.lift-test",
    "--no-lift": "--settings.no-lift-test",
    "--lift-protocol": "--settings.lift-protocol",
    "--lift-noise": "--settings.lift-noise",
}
"""Short form and option; no command that has the option has another one that is called like its short form."""


def expand(arguments: Sequence[str], flags: Sequence[str]) -> list[str]:
    """Write out short forms, as ``--views 6`` and as ``--views=6``.

    Args:
        arguments: The arguments of a command.
        flags: The options that the command has; short forms of others are left as they are.
    """
    return [_expanded(argument, flags) for argument in arguments]


def short_form(flag: str) -> str:
    """Return the short form of an option, or the option itself if it has none."""
    return next((short for short, long in SHORT_FORMS.items() if long == flag), flag)


def _expanded(argument: str, flags: Sequence[str]) -> str:
    name, equals, value = argument.partition("=")
    long = SHORT_FORMS.get(name)
    return argument if long not in flags else f"{long}{equals}{value}"
