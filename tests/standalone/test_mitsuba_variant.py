# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.metadata

import pytest

from omni_graspd.errors import GraspdError
from omni_graspd.standalone.mitsuba_variant import choose_variant


def test_a_vectorised_variant_is_found_where_libllvm_is_installed(monkeypatch):
    monkeypatch.delenv("DRJIT_LIBLLVM_PATH", raising=False)
    if not importlib.metadata.files("karellen-llvm-core"):
        pytest.skip("needs karellen-llvm-core")
    variant = choose_variant.__wrapped__("auto")
    assert variant.name in ("cuda_ad_rgb", "llvm_ad_rgb"), variant.reason


def test_a_broken_libllvm_falls_back_to_scalar_and_says_why(monkeypatch, tmp_path):
    broken = tmp_path / "libLLVM.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", str(broken))
    monkeypatch.setattr("omni_graspd.standalone.mitsuba_variant._has_cuda_driver", lambda: False)
    variant = choose_variant.__wrapped__("auto")
    assert variant.name == "scalar_rgb"
    assert "LLVM" in variant.reason and "\n" not in variant.reason


def test_an_unknown_variant_is_a_user_error():
    with pytest.raises(GraspdError, match="llvm_ad_rgb"):
        choose_variant("fast")
