# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Training: it learns, the same seed gives the same bytes, also after a stop, and it ends when it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.hands.hand_library import load_hand
from omni_graspd.prediction.model_file import DESCRIPTION, NUMBERS, read_model
from omni_graspd.prediction.predictor import PredictConfig, Predictor
from omni_graspd.prediction.shape_grid import ShapeGrids
from omni_graspd.prediction.training import TrainRun, train_model
from omni_graspd.prediction.training_set import read_training_sets
from omni_graspd.prediction.training_state import FILE
from omni_graspd.usd.transforms import pose_to_matrix

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[predict]'")


def _bytes(folder):
    return [(folder / name).read_bytes() for name in (DESCRIPTION, NUMBERS)]


@pytest.fixture(scope="module")
def trained(hand, sets, config, tmp_path_factory):
    out = tmp_path_factory.mktemp("trained") / "model"
    train_model(hand, sets, config, TrainRun(out=out, threads=1))
    return out


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(trained, hand, sets, config, tmp_path):
    train_model(hand, sets, config, TrainRun(out=tmp_path / "again", threads=1))
    assert _bytes(tmp_path / "again") == _bytes(trained)
    train_model(hand, sets, config, TrainRun(out=tmp_path / "other", seed=1, threads=1))
    assert _bytes(tmp_path / "other")[1] != _bytes(trained)[1]


@pytest.mark.parametrize("stopped_at", [3, 12])
def test_a_stopped_run_ends_with_the_same_bytes(stopped_at, trained, hand, sets, config, tmp_path):
    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == stopped_at:
            raise Stopped

    run = TrainRun(out=tmp_path / "model", threads=1)
    with pytest.raises(Stopped):
        train_model(hand, sets, config, run, progress=stop)
    assert not (run.out / DESCRIPTION).exists()
    begun = []
    train_model(hand, sets, config, run, progress=lambda done, total: begun.append(done))
    assert begun[0] == stopped_at // config.check_every * config.check_every
    assert _bytes(run.out) == _bytes(trained)
    assert not (run.out / FILE).exists()


def test_a_finished_run_is_read_and_other_settings_are_refused(trained, hand, sets, config):
    before = _bytes(trained)
    train_model(hand, sets, config, TrainRun(out=trained, threads=1), progress=lambda done, total: pytest.fail())
    for changed, seed, name in ((replace(config, steps=21), 0, "settings"), (config, 1, "seed")):
        with pytest.raises(GraspdError, match=f"belongs to training with another {name}"):
            train_model(hand, sets, changed, TrainRun(out=trained, seed=seed))
    with pytest.raises(GraspdError, match="another data"):
        train_model(hand, sets | {"train": sets["validation"]}, config, TrainRun(out=trained))
    assert _bytes(trained) == before


def test_a_stopped_run_with_other_settings_is_refused(hand, sets, config, tmp_path):
    run = TrainRun(out=tmp_path, threads=1)
    with pytest.raises(KeyboardInterrupt):
        train_model(hand, sets, config, run, tell=_interrupt)
    with pytest.raises(GraspdError, match="belongs to training with another settings"):
        train_model(hand, sets, replace(config, learning_rate=1e-4), run)
    (tmp_path / FILE).write_bytes(b"nothing of the kind")
    with pytest.raises(GraspdError, match="expected a stopped run with the same settings"):
        train_model(hand, sets, config, run)


def _interrupt(entry):
    raise KeyboardInterrupt


def test_it_ends_early_where_held_out_objects_get_no_better(hand, sets, config, tmp_path):
    frozen = replace(config, learning_rate=1e-12, patience=2, steps=100)
    model = train_model(hand, sets, frozen, TrainRun(out=tmp_path, threads=1))
    steps = [entry["step"] for entry in model.training["history"]]
    assert steps[-1] < 100 and steps[-1] % 5 == 0


def test_without_held_out_objects_it_takes_all_steps(hand, sets, config, tmp_path):
    alone = sets | {"validation": replace(sets["validation"], points=np.zeros((0, 64, 3), dtype=np.float32))}
    model = train_model(hand, alone, replace(config, steps=10), TrainRun(out=tmp_path, threads=1))
    assert [entry["validation"] for entry in model.training["history"]] == [None, None]


@pytest.mark.slow
def test_it_learns_where_the_hand_goes(hand, sets, crop, config, tmp_path):
    """All grasps of these blobs come from above, 15 cm over the table, with the same joints within some per cent."""
    longer = replace(config, steps=400, views=4, check_every=100, learning_rate=5e-3)
    model = train_model(hand, sets, longer, TrainRun(out=tmp_path, threads=1))
    first, last = (model.training["history"][row]["train"] for row in (0, -1))
    assert all(last[name] < first[name] for name in first)
    found = Predictor(model).predict(crop, hand, 32, config=PredictConfig(fit=False))
    # 1.4 cm is how far the grasps of training are from their mean, 20 cm what noise would give.
    away = np.linalg.norm(found.T_crop_palm[:, :3] - [0.0, 0.0, 0.15], axis=1)
    assert np.median(away) < 0.03
    down = pose_to_matrix(found.T_crop_palm)[:, 2, 2]
    assert np.median(down) < -0.9
    np.testing.assert_allclose(np.median(found.T_crop_hover - found.T_crop_palm, axis=0)[2], 0.03, atol=0.01)
    assert (np.diff(found.score) <= 0.0).all() and ((found.score >= 0.0) & (found.score <= 1.0)).all()


def test_predictions_depend_on_the_seed_alone(trained, hand, crop):
    one, same, other = (Predictor(read_model(trained)).predict(crop, hand, 8, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.T_crop_palm, same.T_crop_palm)
    assert not np.array_equal(one.T_crop_palm, other.T_crop_palm)
    for joints in (one.actuated, one.opened, one.squeezed):
        assert (joints >= hand.joint_lower[hand.actuated] - 1e-9).all()
        assert (joints <= hand.joint_upper[hand.actuated] + 1e-9).all()


def test_another_hand_is_refused(trained, crop):
    with pytest.raises(GraspdError, match="expected the hand of the model, barrett"):
        Predictor(read_model(trained)).predict(crop, load_hand("allegro"), 8)


def test_datasets_are_read_as_views_of_each_rest_pose_and_its_usable_grasps(dataset, config):
    hand, found = read_training_sets([dataset], config=config, seed=0)
    assert (hand.name, len(found["train"]), len(found["validation"])) == ("barrett", 3, 0)
    train = found["train"]
    assert train.count.tolist() == [4, 4, 4] and len(train.rows) == 4
    # Errors of the sensor are 1.5 mm.
    assert train.points[..., 2].min() > -0.01 and train.points[..., 2].max() < 0.1
    again = read_training_sets([dataset], config=config, seed=0)[1]["train"]
    assert again.digest == train.digest
    assert read_training_sets([dataset], config=config, seed=1)[1]["train"].digest != train.digest
    with pytest.raises(GraspdError, match="expected a hand that all datasets have, got claw"):
        read_training_sets([dataset], "claw", config=config, seed=0)


def test_seen_points_lie_on_the_shape_that_is_learned(dataset, config):
    """Trilinear distances at the seen points are within the sensor's errors and a part of a voxel."""
    train = read_training_sets([dataset], config=replace(config, points=256), seed=0)[1]["train"]
    shapes = ShapeGrids(*(torch.tensor(part, dtype=torch.float32) for part in _grids(train)))
    distances = shapes.distances(torch.tensor(train.points)).numpy()
    assert np.abs(distances).mean() < 0.003 and np.abs(np.median(distances)) < 0.001
    # What cameras see through is outside of it, what is deep inside is hidden.
    ahead, shape = train.seen[:, 0].astype(float), train.shapes.astype(float)
    assert (shape[ahead > 2.5] > 0.0).mean() > 0.99
    assert (ahead[shape < -1.5] < 1.0).all()


def _grids(data):
    return data.shapes.astype(np.float32), data.places[:, :3], data.places[:, 3]
