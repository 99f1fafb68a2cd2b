# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Which of Mitsuba's builds to use: CUDA, LLVM or scalar, found by trying.

A build that this machine cannot run may abort the whole process (older libLLVM do, at the first render), so each is
tried by a tiny render in a process of its own.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from omni_graspd.errors import GraspdError

VARIANTS = ("cuda_ad_rgb", "llvm_ad_rgb", "scalar_rgb")
"""Variants in order of preference."""

_LLVM_PATH_VARIABLE = "DRJIT_LIBLLVM_PATH"
_PROBE_TIMEOUT = 120.0
_PROBE = """
import sys, mitsuba, numpy
mitsuba.set_variant(sys.argv[1])
sensor = {"type": "perspective", "film": {"type": "hdrfilm", "width": 8, "height": 8}}
scene = {"type": "scene", "shape": {"type": "sphere"}, "light": {"type": "constant"}, "sensor": sensor}
integrator = {"type": "aov", "aovs": "p:position", "image": {"type": "path", "max_depth": 3}}
image = mitsuba.render(mitsuba.load_dict(scene), integrator=mitsuba.load_dict(integrator), spp=1)
assert numpy.isfinite(numpy.array(image)).all() and numpy.array(image).any()
"""


@dataclass(frozen=True)
class Variant:
    """A Mitsuba variant and why it was chosen."""

    name: str
    """For example ``llvm_ad_rgb``."""
    reason: str
    """Half a sentence for people, for example ``no CUDA driver``."""


@functools.cache
def choose_variant(requested: str = "auto") -> Variant:
    """Choose a Mitsuba variant; the answer is kept for the life of the process.

    Args:
        requested: ``auto``, or one of :data:`VARIANTS`, which is then taken untried.

    Raises:
        GraspdError: If the name is unknown.
    """
    if requested != "auto":
        if requested not in VARIANTS:
            raise GraspdError(f"expected variant to be auto or one of {', '.join(VARIANTS)}, got {requested!r}")
        return Variant(requested, "requested")
    if _has_cuda_driver() and not _probe("cuda_ad_rgb"):
        return Variant("cuda_ad_rgb", "CUDA works here")
    failure = _probe("llvm_ad_rgb")
    if not failure:
        return Variant("llvm_ad_rgb", f"LLVM works here ({_llvm_library() or 'found by the system'})")
    return Variant("scalar_rgb", f"about ten times slower, since LLVM does not work here ({failure})")


def load_mitsuba(requested: str = "auto") -> ModuleType:
    """Import Mitsuba with the chosen variant active; makes it find the libLLVM that came with this package.

    Raises:
        GraspdError: If the name is unknown or the requested variant cannot be loaded.
    """
    variant = choose_variant(requested)
    if "drjit" not in sys.modules:
        os.environ.update(_llvm_environment())
    try:
        mitsuba = importlib.import_module("mitsuba")
        mitsuba.set_variant(variant.name)
    except ImportError as error:
        raise GraspdError(f"Mitsuba variant {variant.name} failed to load: {error}; try scalar_rgb") from error
    return mitsuba


def _has_cuda_driver() -> bool:
    import ctypes.util

    return ctypes.util.find_library("nvcuda" if sys.platform == "win32" else "cuda") is not None


def _llvm_library() -> Path | None:
    """Return the libLLVM to use: the user's choice, else the one installed as a Python package, else None."""
    if chosen := os.environ.get(_LLVM_PATH_VARIABLE):
        return Path(chosen)
    try:
        files = importlib.metadata.files("karellen-llvm-core") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    names = ("libLLVM.so", "libLLVM.dylib", "LLVM-C.dll")
    return next((Path(str(file.locate())).resolve() for file in files if file.name in names), None)


def _llvm_environment() -> dict[str, str]:
    library = _llvm_library()
    return {} if library is None else {_LLVM_PATH_VARIABLE: os.fspath(library)}


def _probe(variant: str) -> str:
    """Return why a tiny render fails, or an empty string where it works."""
    environment = os.environ | _llvm_environment()
    command = [sys.executable, "-c", _PROBE, variant]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PROBE_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        # Not an answer: taken as one, a busy machine would silently get other, slower images.
        raise GraspdError(
            f"a test render with {variant} did not finish within {_PROBE_TIMEOUT:g} s; run again when the machine is "
            "less busy, or choose the variant with --render.variant"
        ) from error
    except OSError as error:
        return str(error).splitlines()[0]
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[-1][:200]
