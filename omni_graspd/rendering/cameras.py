# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Camera rigs on a stage: random views of an object, and the rigs that a stage already has.

A view is an Xform with one camera ``mono``, or with ``left`` and ``right`` half a baseline to either side along the
rig's own X. Each camera has a UsdRender.Product, which keeps its image size in the file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pxr import Gf, Usd, UsdGeom, UsdRender

from omni_graspd.errors import GraspdError
from omni_graspd.plain_text import shortened
from omni_graspd.ranges import require_at_least, require_not_negative, require_positive, require_rising, require_within
from omni_graspd.rendering.frame import CameraRig
from omni_graspd.seeding import random_generator
from omni_graspd.usd.stage import file_of, reading_usd
from omni_graspd.usd.transforms import author_pose, matrix_to_pose

_EYES = ("left", "right")
_LARGEST_SIDE = 16_384
"""The most pixels along a side: what textures on graphics cards can have."""


@dataclass(frozen=True, kw_only=True)
class CameraConfig:
    """How many views of a scene there are, and what their cameras are like."""

    views: int = 2
    """Views per scene."""
    stereo: bool = True
    """Whether each view is a stereo pair or a single camera. Default: stereo."""
    width: int = 640
    """Image width [pixel]."""
    height: int = 480
    """Image height [pixel]."""
    baseline: float = 0.06
    """Distance between the eyes of a stereo pair [m]."""
    focal_length: float = 24.0
    """Focal length [mm]."""
    horizontal_aperture: float = 20.955
    """Sensor width [mm]; with the focal length, it sets the field of view (47 degrees)."""
    near_far: tuple[float, float] = (0.01, 100.0)
    """Clipping range [m]."""
    fill: tuple[float, float] = (0.48, 0.72)
    """Range of the fraction of the image's shorter side covered by a sphere around the target; the object itself covers
    a third to a half."""
    distance: tuple[float, float] | None = None
    """Range of distances from the target [m], instead of ``fill``; large objects still fit the image."""
    elevation: tuple[float, float] = (20.0, 75.0)
    """Range of elevation angles above the horizon [degree]."""
    max_roll: float = 10.0
    """Largest roll about the viewing direction [degree]."""
    max_target_offset: float = 0.03
    """Largest offset of the view's centre from the target [m]."""

    @property
    def images_per_scene(self) -> int:
        """Number of images of a scene: one per eye of each view."""
        return self.views * (2 if self.stereo else 1)

    def __post_init__(self) -> None:
        """Check ranges."""
        require_not_negative(self, "camera", "baseline", "max_target_offset", unit=" m")
        require_positive(self, "camera", "focal_length", "horizontal_aperture", unit=" mm", finite=True)
        require_within(self, "camera", 0.0, 180.0, "max_roll")
        require_rising(self, "camera", -90.0, 90.0, "elevation")
        require_within(self, "camera", 1, _LARGEST_SIDE, "width", "height")
        require_at_least(self, "camera", 0, "views")
        if not 0 < self.fill[0] <= self.fill[1] <= 1:
            raise GraspdError(f"expected camera.fill to be an increasing range above 0 and up to 1, got {self.fill}")
        distance = self.distance or (1.0, 1.0)
        if not 0 < distance[0] <= distance[1] or not 0 < self.near_far[0] < self.near_far[1]:
            raise GraspdError(
                f"expected camera.distance and camera.near_far to be increasing ranges above 0, got {self.distance} "
                f"and {self.near_far}"
            )


def author_cameras(
    stage: Usd.Stage,
    target_point: np.ndarray,
    config: CameraConfig,
    seed: int,
    *keys: str | int,
    target_radius: float = 0.1,
) -> list[CameraRig]:
    """Define random rigs that look at a point, below ``Cameras`` of the stage's default prim.

    Poses depend on the seed, the keys and the index of the view only.

    Args:
        stage: A stage in metres and Z up with a default prim.
        target_point: What to look at, in the world [m], shape [3].
        config: Number and kind of cameras.
        seed: The run's seed.
        *keys: What the views are for, for example object and scene.
        target_radius: Radius of a ball about the target that every eye must see whole [m].

    Returns:
        The rigs, in order.
    """
    world = str(stage.GetDefaultPrim().GetPath())
    for group in ("Cameras", "Render"):
        UsdGeom.Scope.Define(stage, f"{world}/{group}")
    rigs = []
    for view in range(config.views):
        rng = random_generator(seed, "camera", *keys, view)
        pose = random_view(np.asarray(target_point, dtype=np.float64), target_radius, config, rng)
        rigs.append(author_rig(stage, world, f"view_{view:04d}", pose, config))
    return rigs


def random_view(target: np.ndarray, radius: float, config: CameraConfig, rng: np.random.Generator) -> np.ndarray:
    """Draw the pose of a rig that sees a ball whole, Z up.

    Args:
        target: Middle of the ball [m], shape [3].
        radius: Its radius [m].
        config: Ranges.
        rng: Random generator.

    Returns:
        T_world_rig, shape [7].
    """
    azimuth = rng.uniform(0.0, 2.0 * np.pi)
    elevation = np.radians(rng.uniform(*config.elevation))
    share = rng.uniform()
    roll = np.radians(rng.uniform(-config.max_roll, config.max_roll))
    offset = rng.uniform(0.0, config.max_target_offset) * _on_circle(rng.uniform(0.0, 2.0 * np.pi))

    back = np.array([*(np.cos(elevation) * _on_circle(azimuth)), np.sin(elevation)])
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    up = np.cross(back, right)
    right, up = np.cos(roll) * right + np.sin(roll) * up, np.cos(roll) * up - np.sin(roll) * right
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([right, up, back])
    distance = max(_wanted_distance(radius, share, config), _clear_distance(radius, config))
    matrix[:3, 3] = target + distance * back + offset[0] * right + offset[1] * up
    return matrix_to_pose(matrix)


def _on_circle(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle)])


def _wanted_distance(radius: float, share: float, config: CameraConfig) -> float:
    """Return the distance at ``share``, 0 to 1, of the configured range."""
    if config.distance is not None:
        return config.distance[0] + share * (config.distance[1] - config.distance[0])
    fill = config.fill[0] + share * (config.fill[1] - config.fill[0])
    return radius / np.sin(np.arctan(fill * np.tan(_narrow_half_angle(config))))


def _narrow_half_angle(config: CameraConfig) -> float:
    """Return half the angle of view along the shorter side of the image [rad]."""
    narrow = min(1.0, config.height / config.width)
    return float(np.arctan(0.5 * config.horizontal_aperture * narrow / config.focal_length))


def _clear_distance(radius: float, config: CameraConfig) -> float:
    """Return the distance from which both eyes see a ball whole however far off-centre it lies."""
    half_angle = _narrow_half_angle(config)
    sideways = config.max_target_offset + (config.baseline / 2 if config.stereo else 0.0)
    return (radius + sideways * np.cos(half_angle)) / np.sin(half_angle)


def author_rig(stage: Usd.Stage, world: str, name: str, pose: np.ndarray, config: CameraConfig) -> CameraRig:
    """Define one rig below ``Cameras`` and its render products below ``Render``.

    Args:
        stage: The stage.
        world: Path of the prim that holds both scopes.
        name: Name of the view.
        pose: T_world_rig in stage units, shape [7].
        config: Kind of cameras; lengths in stage units.
    """
    rig = UsdGeom.Xform.Define(stage, f"{world}/Cameras/{name}")
    author_pose(rig.GetPrim(), pose)
    paths = []
    for index, eye in enumerate(_EYES if config.stereo else ("mono",)):
        camera = UsdGeom.Camera.Define(stage, f"{rig.GetPath()}/{eye}")
        x = (index - 0.5) * config.baseline if config.stereo else 0.0
        author_pose(camera.GetPrim(), np.array([x, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]))
        camera.CreateStereoRoleAttr(eye)
        camera.CreateFocalLengthAttr(config.focal_length)
        camera.CreateHorizontalApertureAttr(config.horizontal_aperture)
        camera.CreateVerticalApertureAttr(config.horizontal_aperture * config.height / config.width)
        camera.CreateClippingRangeAttr(Gf.Vec2f(*config.near_far))
        product = UsdRender.Product.Define(stage, f"{world}/Render/{name}_{eye}")
        product.CreateCameraRel().SetTargets([camera.GetPath()])
        product.CreateResolutionAttr(Gf.Vec2i(config.width, config.height))
        paths.append(str(camera.GetPath()))
    return CameraRig(name, tuple(paths), config.width, config.height)


def read_camera_rigs(stage: Usd.Stage) -> list[CameraRig]:
    """Read the rigs of a stage from its render products, in stage order.

    Cameras with stereo roles left and right below the same prim make one rig, named like that prim.
    A camera without a render product is left out, since its image size is not known.

    Returns:
        The rigs; empty where the stage has no render product with a camera.

    Raises:
        GraspdError: If OpenUSD cannot read a render product, or it has no resolution.
    """
    groups: dict[tuple[str, int, int], dict[str, str]] = {}
    with reading_usd(file_of(stage)):
        for product in (UsdRender.Product(prim) for prim in stage.Traverse() if prim.IsA(UsdRender.Product)):
            width, height = _resolution(product)
            for path in product.GetCameraRel().GetForwardedTargets():
                camera = UsdGeom.Camera.Get(stage, path)
                if not camera:
                    continue
                role = str(camera.GetStereoRoleAttr().Get())
                in_rig = role in _EYES or path.name == "mono"
                owner = path.GetParentPath() if in_rig else path
                groups.setdefault((str(owner), width, height), {})[role] = str(path)
    rigs = []
    for (owner, width, height), cameras in groups.items():
        eyes = tuple(cameras[role] for role in ("mono", *_EYES) if role in cameras)
        rigs.append(CameraRig(owner.rsplit("/", 1)[-1], eyes, width, height))
    return rigs


def _resolution(product: UsdRender.Product) -> tuple[int, int]:
    size = product.GetResolutionAttr().Get()
    if not isinstance(size, Gf.Vec2i) or min(size) < 1:
        raise GraspdError(
            f"expected a resolution of two whole numbers from 1 on for {product.GetPath()} of "
            f"{file_of(product.GetPrim().GetStage())}, got {shortened(str(size))!r}; mend it"
        )
    return int(size[0]), int(size[1])
