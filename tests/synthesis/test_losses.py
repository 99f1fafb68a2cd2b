# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The declarations of loss terms fit the settings and the kernels."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from omni_graspd.dataset.table_schema import loss_column
from omni_graspd.synthesis.config import SynthesisConfig
from omni_graspd.synthesis.losses import KEPT_TERMS, LOSS_SETTINGS, LOSS_TERMS
from omni_graspd.synthesis.models import settings_of
from omni_graspd.synthesis.presets import PRESETS


def test_kept_terms_are_numbered_in_order():
    """The order is also that of the columns in the files of datasets made before."""
    assert [term.slot for term in KEPT_TERMS] == list(range(len(KEPT_TERMS)))
    assert [term.name for term in KEPT_TERMS][:3] == ["range", "limit", "self_collision"]


def test_settings_of_terms_are_fields_of_the_configuration():
    assert set(LOSS_SETTINGS) <= {field.name for field in fields(SynthesisConfig)}
    assert len(set(LOSS_SETTINGS)) == len(LOSS_SETTINGS)


def test_kernels_get_weights_of_means_as_weights_of_sums():
    # Kernels have single precision; some versions of Warp give back what was put in, others what kernels get.
    config = SynthesisConfig(iterations=1)
    loss = settings_of(config, 100, 0, "cpu").loss
    assert np.float32(loss.penetration_weight) == np.float32(config.penetration_weight / 100)
    assert np.float32(loss.wall_weight) == np.float32(config.wall_weight)
    assert np.float32(loss.wall_margin) == np.float32(config.wall_margin)
    assert np.float32(loss.range_weight) == np.float32(config.range_weight)


def test_the_preset_of_the_paper_has_its_terms_only():
    paper, ours = PRESETS["paper"], SynthesisConfig()
    weights = {name: getattr(paper, name) for term in LOSS_TERMS.values() if (name := term.weight)}
    assert {name for name, weight in weights.items() if weight == 0.0} == {
        "self_collision_weight", "penetration_weight", "closing_weight"
    }  # fmt: skip
    assert all(weight in (0.0, getattr(ours, name)) for name, weight in weights.items())


def test_columns_say_what_the_declaration_says():
    assert loss_column("limit").unit == "rad" and "beyond their limits" in loss_column("limit").meaning
    assert loss_column("new").meaning == "Loss term 'new'."
