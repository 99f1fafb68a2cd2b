# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The options of ``graspd generate``: presets and short forms, for the command and for the headless run in Kit."""

from __future__ import annotations

from collections.abc import Sequence

from omni_graspd.cli.objects import SHORT_FORMS as OBJECT_SHORT_FORMS
from omni_graspd.dataset.config import GenerateConfig
from omni_graspd.synthesis.presets import synthesis_preset

_SHORT_FORMS = {
    "--views": "--camera.views",
    "--stereo": "--camera.stereo",
    "--mono": "--camera.no-stereo",
    **OBJECT_SHORT_FORMS,
}


def parse_generate_options(arguments: Sequence[str], prog: str) -> GenerateConfig:
    """Return the configuration that the arguments ask for.

    Args:
        arguments: The options of ``graspd generate``.
        prog: Name of the program in the help.

    Raises:
        GraspdError: If a value is out of range.
        SystemExit: After ``--help``, or where tyro has told what it does not understand.
    """
    import tyro

    arguments, preset = long_form(arguments)
    return tyro.cli(
        GenerateConfig,
        prog=prog,
        args=arguments,
        default=GenerateConfig(synthesis=synthesis_preset(preset)),
        config=(tyro.conf.UseAppendAction,),
    )


def long_form(arguments: Sequence[str]) -> tuple[list[str], str]:
    """Take ``--preset NAME`` out of the arguments, since it sets the defaults of the others, and write out short forms.

    Returns:
        The other arguments, and the preset's name; ``""`` if it was left out.
    """
    rest, name, expected = [], "default", False
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        if expected:
            name, expected = argument, False
        elif flag == "--preset":
            name, expected = value, not equals
        else:
            rest.append(_SHORT_FORMS.get(flag, flag) + equals + value)
    return rest, "" if expected else name
