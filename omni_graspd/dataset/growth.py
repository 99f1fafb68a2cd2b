# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets that grow: more grasps, scenes, views, channels, hands or objects than a folder was begun with."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from omni_graspd.dataset.manifest import Manifest, is_around_table
from omni_graspd.errors import GraspdError

_COUNTS = (("grasps",), ("scenes",), ("camera", "views"))
"""Settings that may become larger: each grasp, scene and view depends on its own number only."""
_CHANNELS = ("render", "annotators")
"""Channels of images, which may be added to: each has files of its own."""


def grow_manifest(present: Manifest, wanted: Manifest) -> Manifest:
    """Return the manifest of a dataset that holds what is there and what is wanted.

    Args:
        present: What the folder was begun with.
        wanted: What a run asks for.

    Returns:
        ``present`` with the larger counts and the further channels, hands and objects of ``wanted``, those that are
        there first;
        ``present`` itself where nothing is added. Settings in which they differ otherwise stay as they are there.

    Raises:
        GraspdError: If what is there could not stay as it is.
    """
    config = copy.deepcopy(present.config)
    for path in _COUNTS:
        there, asked = _value(present.config, path), _value(wanted.config, path)
        if isinstance(there, int) and isinstance(asked, int) and asked > there:
            _value(config, path[:-1])[path[-1]] = asked
    channels, asked = (set(_value(found.config, _CHANNELS) or ()) for found in (present, wanted))
    if channels < asked:
        config["render"]["annotators"] = list(_value(wanted.config, _CHANNELS))
    hands, objects = (
        {**there, **{name: asset for name, asset in asked.items() if name not in there}}
        if there.keys() <= asked.keys()
        else there
        for there, asked in ((present.hands, wanted.hands), (present.objects, wanted.objects))
    )
    config |= {"hand": list(hands), "object": list(objects)} if "hand" in config else {}
    grown = replace(present, config=config, hands=hands, objects=objects)
    if grown == present:
        return present
    _check(present, grown)
    return grown


def _check(present: Manifest, grown: Manifest) -> None:
    more_grasps = grown.config["grasps"] > present.config["grasps"]
    more_rest_poses = is_around_table(present.config) and grown.config["scenes"] > present.config["scenes"]
    if present.evaluation and (more_grasps or more_rest_poses):
        raise GraspdError(
            "cannot add grasps or rest poses to a dataset with the metrics of `graspd evaluate`, which the further "
            "grasps would lack; make them in another folder with --out"
        )
    if len(grown.objects) > len(present.objects) and _value(present.config, ("scene", "clutter")):
        raise GraspdError(
            "cannot add objects to a dataset with clutter, whose scenes draw from all its objects; make a new dataset "
            "in another folder with --out"
        )


def _value(config: dict[str, Any], path: Iterable[str]) -> Any:
    for name in path:
        config = config.get(name, {}) if isinstance(config, dict) else {}
    return config
