# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""glTF files as trimesh can take them: one GLB whose positions and texture coordinates are plain floats."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import unquote

import numpy as np

_GLB = b"glTF"
_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942
_TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_FLOAT, _UINT = 5126, 5125
_TRIANGLES, _FAN = 4, 6
_DRACO, _WEBP, _TRANSFORM = "KHR_draco_mesh_compression", "EXT_texture_webp", "KHR_texture_transform"
_SHAPES_WE_LACK = {
    "EXT_meshopt_compression": "save it without compression, for example with: npx gltfpack -i FILE -o plain.glb -noq",
    "KHR_meshopt_compression": "save it without compression, for example with: npx gltfpack -i FILE -o plain.glb -noq",
    "EXT_mesh_gpu_instancing": "make the instances real meshes before the export",
}
"""Extensions without which a file shows another shape, and the way out."""
_MOST_ZEROS = 2**26
"""Bytes that a list of numbers without data, which are zeros then, may take."""


class UnreadableGltfError(ValueError):
    """A glTF file needs what we cannot do; says what, and the way out."""


class GltfContent:
    """A glTF file that is being made plain."""

    def __init__(self, content: bytes, fetch: Callable[[str], bytes]) -> None:
        """Take a file apart.

        Args:
            content: The file, GLB or glTF.
            fetch: Returns the content of a file that is named in it.
        """
        self._json, inside = _chunks(content)
        self._fetch = fetch
        views = self._json.setdefault("bufferViews", [])
        self._binary = bytearray()
        starts = []
        for buffer in self._json.get("buffers", []):
            starts.append(len(self._binary))
            self._append(self._load(buffer["uri"]) if "uri" in buffer else inside)
        for view in views:
            view["byteOffset"] = starts[view.get("buffer", 0)] + view.get("byteOffset", 0)
            view["buffer"] = 0
        self.notes: list[str] = []

    def plain(self) -> bytes:
        """Return the file as one GLB that needs no extension of glTF for its shape and its colour texture.

        Raises:
            UnreadableGltfError: If it needs one that we do not have.
        """
        extensions = {*self._json.get("extensionsUsed", []), *self._json.get("extensionsRequired", [])}
        for name in sorted(extensions & _SHAPES_WE_LACK.keys()):
            raise UnreadableGltfError(f"it needs the extension {name}; {_SHAPES_WE_LACK[name]}")
        self._check_lengths()
        for material in self._json.get("materials", []):
            self._check_texture(material)
        if any("skin" in node for node in self._json.get("nodes", [])):
            self.notes.append("left out the bones that deform it: shape as modelled")
        for mesh in self._json.get("meshes", []):
            for primitive in mesh["primitives"]:
                self._make_plain(primitive)
        return self._packed()

    def _check_lengths(self) -> None:
        """Refuse lists of numbers that declare more than there is; trimesh makes all of them, whoever uses them."""
        for number, accessor in enumerate(self._json.get("accessors", [])):
            kind = np.dtype(_TYPES[accessor["componentType"]])
            declared = accessor["count"] * _WIDTHS[accessor["type"]] * kind.itemsize
            there = _MOST_ZEROS
            if "bufferView" in accessor:
                there = len(self._view(accessor["bufferView"])) - accessor.get("byteOffset", 0)
            if not 0 <= declared <= there:
                found = f"there are {there}" if "bufferView" in accessor else "it has no data"
                raise UnreadableGltfError(f"accessor {number} declares {declared} bytes, but {found}; export it again")

    def _make_plain(self, primitive: dict[str, Any]) -> None:
        attributes = primitive["attributes"]
        draco = primitive.get("extensions", {}).pop(_DRACO, None)
        if draco is not None:
            self._decompress(primitive, draco)
        attributes["POSITION"] = self._add(self._read(attributes["POSITION"]), "VEC3")
        if primitive.get("mode", _TRIANGLES) == _FAN:
            count = self._json["accessors"][attributes["POSITION"]]["count"]
            corners = self._read(primitive["indices"]).ravel() if "indices" in primitive else np.arange(count)
            fans = [np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]]
            primitive["mode"], primitive["indices"] = _TRIANGLES, self._add(np.stack(fans, axis=-1).ravel(), "SCALAR")
        texture = self._color_texture(primitive)
        transform = texture.get("extensions", {}).get(_TRANSFORM, {})
        uv_set = attributes.get(f"TEXCOORD_{transform.get('texCoord', texture.get('texCoord', 0))}")
        if uv_set is not None:
            attributes["TEXCOORD_0"] = self._add(_transformed(self._read(uv_set), transform), "VEC2")
        elif texture:
            attributes.pop("TEXCOORD_0", None)
            self.notes.append("lost its texture: it has no texture coordinates of the set that its material reads")

    def _color_texture(self, primitive: dict[str, Any]) -> dict[str, Any]:
        if "material" not in primitive:
            return {}
        material = self._json["materials"][primitive["material"]]
        return material.get("pbrMetallicRoughness", {}).get("baseColorTexture", {})

    def _check_texture(self, material: dict[str, Any]) -> None:
        """Note a colour texture that cannot be had; take a WebP picture where that is all there is."""
        wanted = material.get("pbrMetallicRoughness", {}).get("baseColorTexture")
        if wanted is None:
            if "KHR_materials_pbrSpecularGlossiness" in material.get("extensions", {}):
                self.notes.append("drawn without KHR_materials_pbrSpecularGlossiness, where its material may have more")
            return
        texture = self._json["textures"][wanted["index"]]
        if "source" not in texture:
            extensions = texture.get("extensions", {})
            if _WEBP not in extensions:
                self.notes.append(f"lost its texture: kept as {', '.join(extensions) or 'nothing'}")
                return
            texture["source"] = extensions[_WEBP]["source"]
        image = self._json["images"][texture["source"]]
        if "uri" in image:
            try:
                self._load(image["uri"])
            except (OSError, ValueError):
                self.notes.append(f"lost its texture {unquote(image['uri'])}: missing")
            if not image["uri"].startswith("data:"):
                image["uri"] = unquote(image["uri"])

    def _decompress(self, primitive: dict[str, Any], draco: dict[str, Any]) -> None:
        try:
            import DracoPy  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise UnreadableGltfError(
                f"it needs the extension {_DRACO}; pip install 'omni-graspd[import]', or save it without compression"
            ) from error
        decoded: Any = DracoPy.decode(bytes(self._view(draco["bufferView"])))
        by_id = {attribute["unique_id"]: attribute["data"] for attribute in decoded.attributes}
        accessors = self._json["accessors"]
        for name, unique_id in draco["attributes"].items():
            accessor = accessors[primitive["attributes"][name]]
            data = np.asarray(by_id[unique_id]).reshape(len(decoded.points), -1)
            if accessor.get("normalized"):
                data = _normalized(data)
            if name.startswith(("POSITION", "TEXCOORD")):
                primitive["attributes"][name] = self._add(data, accessor["type"])
            else:
                primitive["attributes"].pop(name)
        primitive["indices"] = self._add(np.asarray(decoded.faces).ravel(), "SCALAR")
        primitive["mode"] = _TRIANGLES

    def _view(self, index: int) -> memoryview:
        view = self._json["bufferViews"][index]
        start = view.get("byteOffset", 0)
        return memoryview(self._binary)[start : start + view["byteLength"]]

    def _read(self, index: int) -> np.ndarray:
        """Return an accessor's values, normalised where it says so, sparse ones filled in, shape [count, width]."""
        accessor = self._json["accessors"][index]
        count, width = accessor["count"], _WIDTHS[accessor["type"]]
        kind = np.dtype(_TYPES[accessor["componentType"]])
        values = np.zeros((count, width), dtype=kind)
        if "bufferView" in accessor:
            stride = self._json["bufferViews"][accessor["bufferView"]].get("byteStride", width * kind.itemsize)
            values[:] = self._strided(
                accessor["bufferView"], accessor.get("byteOffset", 0), (count, width), kind, stride
            )
        if "sparse" in accessor:
            sparse = accessor["sparse"]
            where, what = sparse["indices"], sparse["values"]
            rows = np.dtype(_TYPES[where["componentType"]])
            shape = (sparse["count"], 1)
            chosen = self._strided(where["bufferView"], where.get("byteOffset", 0), shape, rows, rows.itemsize)
            shape = (sparse["count"], width)
            new = self._strided(what["bufferView"], what.get("byteOffset", 0), shape, kind, width * kind.itemsize)
            values[chosen[:, 0]] = new
        return _normalized(values) if accessor.get("normalized") else values

    def _strided(self, view: int, offset: int, shape: tuple[int, int], kind: np.dtype, stride: int) -> np.ndarray:
        data = self._view(view)[offset:]
        if (shape[0] - 1) * stride + shape[1] * kind.itemsize > len(data):
            raise ValueError("a list of numbers is longer than the data it names")
        return np.ndarray(shape, dtype=kind, buffer=data, strides=(stride, kind.itemsize))

    def _add(self, values: np.ndarray, kind: str) -> int:
        """Add an accessor with values of its own, floats or, for scalars, indices; return its number."""
        is_index = kind == "SCALAR"
        packed = np.ascontiguousarray(values, dtype="<u4" if is_index else "<f4")
        start = self._append(packed.tobytes())
        self._json["bufferViews"].append({"buffer": 0, "byteOffset": start, "byteLength": packed.nbytes})
        accessor = {"bufferView": len(self._json["bufferViews"]) - 1, "componentType": _UINT if is_index else _FLOAT}
        accessor |= {"count": len(packed), "type": kind}
        self._json["accessors"].append(accessor)
        return len(self._json["accessors"]) - 1

    def _append(self, data: bytes) -> int:
        start = len(self._binary)
        self._binary += data + bytes(-len(data) % 4)
        return start

    def _load(self, uri: str) -> bytes:
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2])
        return self._fetch(unquote(uri))

    def _packed(self) -> bytes:
        for name in ("extensionsUsed", "extensionsRequired"):
            self._json.pop(name, None)
        self._json["buffers"] = [{"byteLength": len(self._binary)}]
        header = json.dumps(self._json).encode()
        header += b" " * (-len(header) % 4)
        chunks = struct.pack("<II", len(header), _JSON_CHUNK) + header
        chunks += struct.pack("<II", len(self._binary), _BINARY_CHUNK) + bytes(self._binary)
        return _GLB + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def _chunks(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return a file's JSON and the binary part of a GLB."""
    if not content.startswith(_GLB):
        return cast(dict, json.loads(content.decode("utf-8-sig"))), b""
    if struct.unpack_from("<I", content, 4)[0] != 2:
        raise ValueError("only glTF 2 can be read")
    at, header, binary = 12, None, b""
    while at + 8 <= len(content):
        length, kind = struct.unpack_from("<II", content, at)
        chunk = content[at + 8 : at + 8 + length]
        if len(chunk) < length:
            raise ValueError("it is cut off")
        if kind == _JSON_CHUNK and header is None:
            header = json.loads(chunk)
        elif kind == _BINARY_CHUNK:
            binary = chunk
        at += 8 + length
    if header is None:
        raise ValueError("it has no JSON chunk")
    return header, binary


def _normalized(values: np.ndarray) -> np.ndarray:
    """Return whole numbers as shares of their largest one, -1 to 1; floats as they are."""
    if values.dtype.kind == "f":
        return values
    return np.maximum(values.astype(np.float64) / np.iinfo(values.dtype).max, -1.0)


def _transformed(uvs: np.ndarray, transform: dict[str, Any]) -> np.ndarray:
    """Apply KHR_texture_transform to texture coordinates, shape [count, 2]: scaled, turned, then moved."""
    uvs = uvs.astype(np.float64)
    turn = float(transform.get("rotation", 0.0))
    u, v = (uvs * transform.get("scale", [1.0, 1.0])).T
    turned = [np.cos(turn) * u + np.sin(turn) * v, np.cos(turn) * v - np.sin(turn) * u]
    return np.stack(turned, axis=-1) + transform.get("offset", [0.0, 0.0])
