# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Replicator: render products, annotators and writers, fed with arrays by a renderer that a test can replace."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pxr import Usd

from omni_graspd.rendering.annotators import ANNOTATORS

Channels = dict[str, tuple[np.ndarray, dict[str, Any]]]
_MADE_BY_US = ("stereo_disparity",)
_NO_ARRAY = ("camera_params",)


def synthetic_channels(stage: Usd.Stage, camera_path: str, resolution: tuple[int, int]) -> Channels:
    """Return arrays in Replicator's dtypes and shapes, the same for the same camera; nothing is drawn."""
    random = np.random.default_rng(zlib.crc32(camera_path.encode()))
    width, height = resolution
    sizes = {"height": height, "width": width, "count": 3}
    made: Channels = {}
    for name, annotator in ANNOTATORS.items():
        if name not in _MADE_BY_US:
            shape = tuple(sizes[axis] if isinstance(axis, str) else axis for axis in annotator.shape)
            made[name] = (_array(random, annotator.dtype, shape, name), _side(name, width, height))
    return made


def _array(random: np.random.Generator, dtype: np.dtype, shape: tuple[int, ...], name: str) -> np.ndarray:
    if dtype.names:
        return np.frombuffer(b"\1" * dtype.itemsize * shape[0], dtype).copy()
    if "segmentation" in name:
        return random.integers(0, 4, shape).astype(dtype)
    if dtype.kind == "u":
        return random.integers(0, 256, shape).astype(dtype)
    return random.uniform(0.2, 1.0, shape).astype(dtype)


def _side(name: str, width: int, height: int) -> dict[str, Any]:
    labels = {0: {"class": "BACKGROUND"}, 1: {"class": "UNLABELLED"}, 2: {"class": "mug"}, 3: {"class": "table"}}
    if name == "semantic_segmentation":
        return {"idToLabels": labels}
    if name == "instance_segmentation":
        paths = {0: "BACKGROUND", 1: "UNLABELLED", 2: "/World/Object", 3: "/World/Table"}
        return {"idToLabels": paths, "idToSemantics": labels}
    if name.startswith("bounding_box"):
        ids = np.arange(3, dtype=np.uint32)
        return {"idToLabels": {2: {"class": "mug"}}, "bboxIds": ids, "primPaths": ["/World/Object", "/B", "/C"]}
    if name == "pointcloud":
        flat = np.arange(12)
        sides = {"pointRgb": flat.astype(np.uint8), "pointNormals": flat.astype(np.float32)}
        return sides | {key: np.arange(3, dtype=np.uint32) for key in ("pointSemantic", "pointInstance")}
    if name == "camera_params":
        return _camera(width, height)
    return {}


def _camera(width: int, height: int) -> dict[str, Any]:
    params: dict[str, Any] = {key: np.zeros(2, dtype=np.float32) for key in ANNOTATORS["camera_params"].info_keys}
    return params | {
        "cameraAperture": np.array([20.955, 20.955 * height / width], dtype=np.float32),
        "cameraApertureOffset": np.zeros(2, dtype=np.float32),
        "cameraFocalLength": 24.0,
        "cameraModel": "pinhole",
        "cameraNearFar": np.array([0.01, 100.0], dtype=np.float32),
        "cameraProjection": np.eye(4).ravel(),
        "cameraViewTransform": np.eye(4).ravel(),
        "metersPerSceneUnit": 1.0,
        "renderProductResolution": np.array([width, height], dtype=np.int32),
    }


class Replicator:
    """What the fake knows: products, writers, annotators that are attached, and the renderer."""

    def __init__(self, kit: Any) -> None:
        self.kit = kit
        self.renderer: Callable[[Usd.Stage, str, tuple[int, int]], Channels] = synthetic_channels
        self.products: list[Any] = []
        self.writers: dict[str, type] = {}
        self.attached: list[Any] = []
        self.annotators: list[Any] = []
        self.steps: list[dict[str, Any]] = []
        self.capture_on_play = True
        self.captured: list[int] = []  # updates after which something was captured
        self.completed: list[int] = []  # updates after which all that was captured was waited for
        self.names: dict[str, int] = {}

    def make_product(self, camera: Any, resolution: tuple[int, int], name: str | None) -> Any:
        """Make a render product of a camera that is on the open stage; a name that was used before is changed."""
        path = str(camera.GetPath()) if isinstance(camera, Usd.Prim) else str(camera)
        stage = self.kit.usd.stage
        if stage is None or not stage.GetPrimAtPath(path):
            raise RuntimeError(f"no camera {path} on the open stage")
        name = name or "Replicator"
        count = self.names.get(name, 0)
        self.names[name] = count + 1
        product = self.kit.instance("HydraTexture")
        unique = name if count == 0 else f"{name}_{count:02d}"
        product._path, product._camera, product._resolution = f"/Render/RenderProduct_{unique}", path, tuple(resolution)
        self.products.append(product)
        return product

    def channels(self, product: Any) -> Channels:
        """Return what the renderer makes of a product."""
        if product not in self.products:
            raise RuntimeError(f"render product {product._path} was destroyed")
        return self.renderer(self.kit.usd.stage, product._camera, product._resolution)

    def capture(self) -> None:
        """Let graphs run, render, give each annotator its data and each writer its payload."""
        self.kit.graphs.run(self.kit.usd.stage)
        for annotator in self.annotators:
            annotator._data = self.channels(annotator._product)[annotator._name]
        for writer in [w for w in self.attached if w._trigger is not None or w._scheduled]:
            writer._scheduled = False
            writer.write(payload({p: self.channels(p) for p in writer._products}, writer))

    def find(self, product: Any) -> Any:
        """Return a product by its path, or as it is."""
        return next((p for p in self.products if p._path == str(product)), product)


def payload(frames: dict[Any, Channels], writer: Any) -> dict[str, Any]:
    """Return what Replicator hands to ``write``, in the writer's data structure."""
    names = [annotator if isinstance(annotator, str) else annotator._name for annotator in writer.annotators]
    data: dict[str, Any] = {"reference_time": (0, 1), "distribution_outputs": {}, "trigger_outputs": {}}
    data |= {"named_outputs": {}, "swhFrameNumber": 0}
    products = {product._path.rpartition("/")[2]: (product, made) for product, made in frames.items()}
    side = {name: {"camera": p._camera, "resolution": list(p._resolution)} for name, (p, _) in products.items()}
    if writer.data_structure == "legacy":
        for product, (_, made) in products.items():
            data[f"rp_{product}"] = side[product]
            for name in names:
                key = name if len(products) == 1 else f"{name}-{product}"
                data[key] = legacy(name, *made[name])
    elif writer.data_structure == "renderProduct":
        data["renderProducts"] = {
            product: side[product] | {name: flat(name, *made[name]) for name in names}
            for product, (_, made) in products.items()
        }
    else:
        data["annotators"] = {
            name: {product: flat(name, *made[name]) for product, (_, made) in products.items()} for name in names
        }
        data |= {f"rp_{product}": side[product] for product in products}
    return data


def legacy(name: str, array: np.ndarray, info: dict[str, Any]) -> Any:
    """Return a channel in the old structure: array, dictionary, or both."""
    if name in _NO_ARRAY:
        return dict(info)
    return {"data": array, "info": dict(info)} if info else array


def flat(name: str, array: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
    """Return a channel in the new structure: side data beside ``data``."""
    return dict(info) if name in _NO_ARRAY else {"data": array} | info


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""
    return {
        "omni.replicator.core": {"Writer": _writer(kit), "WriterRegistry": _registry(kit)},
        "omni.replicator.core.annotators": _annotators(kit),
        "omni.replicator.core.create": {"render_product": lambda *args, **kwargs: _products(kit, *args, **kwargs)},
        "omni.replicator.core.orchestrator": _orchestrator(kit),
        "omni.replicator.core.settings": _modes(kit),
        "omni.replicator.core.backends": {
            **{"BaseBackend": _backend(), "DiskBackend": _disk()},
            "get": lambda name, *_: kit.instance(name),
        },
        "omni.replicator.core.utils.viewport_manager": {"HydraTexture": _product(kit)},
    }


def _products(
    kit: Any,
    camera: Any,
    resolution: tuple[int, int],
    force_new: bool = False,
    name: str | None = None,
    render_vars: Any = None,
) -> Any:
    cameras = list(camera) if isinstance(camera, (list, tuple)) else [camera]
    made = [kit.replicator.make_product(each, resolution, name) for each in cameras]
    return made if isinstance(camera, (list, tuple)) else made[0]


def _product(kit: Any) -> type:
    class HydraTexture:
        @property
        def path(self) -> str:
            return self._path

        def destroy(self) -> None:
            kit.replicator.products.remove(self)

        def __str__(self) -> str:
            return self._path

    return HydraTexture


def _writer(kit: Any) -> type:
    class Writer:
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            made = super().__new__(cls)
            made.annotators, made.backend, made.metadata = [], None, None
            made._products, made._trigger, made._scheduled = [], None, False
            return made

        def initialize(self, **kwargs: Any) -> None:
            self.__init__(**kwargs)

        def attach(self, render_products: Any, trigger: Any = "omni.replicator.core.OgnOnFrame") -> None:
            listed = render_products if isinstance(render_products, (list, tuple)) else [render_products]
            self._products, self._trigger = [kit.replicator.find(product) for product in listed], trigger
            kit.replicator.attached.append(self)

        async def attach_async(self, render_products: Any, trigger: Any = "omni.replicator.core.OgnOnFrame") -> None:
            await asyncio.sleep(0)
            Writer.attach(self, render_products, trigger)

        def detach(self) -> None:
            kit.replicator.attached.remove(self)

        def schedule_write(self) -> None:
            self._scheduled = True

        def write(self, data: dict[str, Any]) -> None:
            raise NotImplementedError

        def on_final_frame(self) -> None:
            pass

    return Writer


def _registry(kit: Any) -> type:
    class WriterRegistry:
        @staticmethod
        def register(writer: type, category: str | None = None) -> None:
            kit.replicator.writers[writer.__name__] = writer

        @staticmethod
        def unregister(name: str) -> None:
            del kit.replicator.writers[name]

        @staticmethod
        def get(writer_name: str, init_params: Any = None, render_products: Any = None, trigger: Any = "frame") -> Any:
            cls = kit.replicator.writers[writer_name]
            writer = cls.__new__(cls)
            if init_params:
                writer.initialize(**init_params)
            if render_products is not None:
                writer.attach(render_products, trigger)
            return writer

        @staticmethod
        def get_writers(category: str | None = None) -> dict[str, type]:
            return dict(kit.replicator.writers)

    return WriterRegistry


def _annotators(kit: Any) -> dict[str, Any]:
    class Annotator:
        @property
        def name(self) -> str:
            return self._name

        def attach(self, render_products: Any, render_product_idxs: Any = None) -> Any:
            listed = render_products if isinstance(render_products, (list, tuple)) else [render_products]
            if len(listed) != 1:
                raise ValueError("an annotator is attached to one render product")
            self._product = kit.replicator.find(listed[0])
            kit.replicator.annotators.append(self)
            return self

        def detach(self, render_products: Any = None) -> None:
            kit.replicator.annotators.remove(self)

        def get_data(self, device: Any = None, do_array_copy: bool = False, use_legacy_structure: bool = True) -> Any:
            return (legacy if use_legacy_structure else flat)(self._name, *self._data)

    def get(name: str, init_params: Any = None, *_: Any, **__: Any) -> Any:
        if name not in ANNOTATORS or name in _MADE_BY_US:
            raise ValueError(f"no annotator {name!r}")
        annotator = kit.instance("Annotator")
        annotator._name, annotator._init_params = name, init_params or {}
        return annotator

    class AnnotatorRegistry:
        get_annotator = staticmethod(get)

    return {"Annotator": Annotator, "AnnotatorRegistry": AnnotatorRegistry, "get": get}


def _modes(kit: Any) -> dict[str, Any]:
    def set_render_rtx_realtime(antialiasing: str = "FXAA") -> None:
        kit.settings["/rtx/rendermode"] = "RaytracedLighting"
        kit.settings["/rtx-transient/post/aa/limitedOps"] = False
        kit.settings["/rtx/post/aa/op"] = 2

    def set_render_pathtraced(samples_per_pixel: int = 64) -> None:
        kit.settings["/rtx/rendermode"] = "PathTracing"
        kit.settings["/rtx/pathtracing/totalSpp"] = samples_per_pixel

    return {"set_render_rtx_realtime": set_render_rtx_realtime, "set_render_pathtraced": set_render_pathtraced}


def _backend() -> type:
    class BaseBackend:
        """Keeps what is written, by path."""

        def _fake_start(self) -> None:
            self.fake_files: dict[str, bytes] = {}

        def write_blob(self, path: str, data: bytes) -> None:
            assert isinstance(path, str) and isinstance(data, bytes)
            self.fake_files[path] = data

    return BaseBackend


def _disk() -> type:
    class DiskBackend:
        """Writes below its folder."""

        def initialize(self, output_dir: str) -> None:
            self._folder = Path(output_dir)

        def write_blob(self, path: str, data: bytes) -> None:
            (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / path).write_bytes(data)

    return DiskBackend


def _orchestrator(kit: Any) -> dict[str, Any]:
    async def step_async(
        rt_subframes: int = -1,
        pause_timeline: bool = True,
        delta_time: float | None = None,
        wait_for_render: bool = True,
    ) -> None:
        await asyncio.sleep(0)
        kit.replicator.steps.append({"rt_subframes": rt_subframes, "delta_time": delta_time})
        kit.replicator.captured.append(kit.updates)
        assert not kit.usd.loading, "captured while the stage loads"
        kit.replicator.capture()

    async def wait_until_complete_async() -> None:
        await asyncio.sleep(0)
        kit.replicator.completed.append(kit.updates)

    def blocking(*_: Any, **__: Any) -> None:
        if not kit.is_script:
            raise RuntimeError("OrchestratorError: blocking calls work in standalone scripts only; use the *_async one")

    def step(**options: Any) -> None:
        blocking()
        with asyncio.Runner() as runner:
            runner.run(step_async(**options))

    def set_capture_on_play(value: bool) -> None:
        kit.replicator.capture_on_play = value

    return {
        "step_async": step_async,
        "wait_until_complete_async": wait_until_complete_async,
        "set_capture_on_play": set_capture_on_play,
        "step": step,
        "run_until_complete": blocking,
        "wait_until_complete": blocking,
    }
