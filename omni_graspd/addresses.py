# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Addresses on servers that only Isaac Sim reaches: recognised everywhere, refused outside it in one line."""

from __future__ import annotations

import re
from pathlib import Path

from omni_graspd.errors import GraspdError

_ADDRESS = re.compile(r"(omniverse|https?):/+(.+)")


def server_address(text: str | Path) -> str | None:
    """Return an address as it should be written; None for a name, a file or an address of another kind.

    A ``Path`` may have lost a slash: ``Path("omniverse://host/mug.usd")`` reads ``omniverse:/host/mug.usd``.
    """
    match = _ADDRESS.fullmatch(str(text))
    return f"{match[1]}://{match[2]}" if match else None


def unreachable_file(address: str) -> GraspdError:
    """Return the error for a hand or object that is given by its address where it cannot be fetched.

    Args:
        address: The address.
    """
    name = address.partition("?")[0].rpartition("/")[2] or "asset.usd"
    return GraspdError(
        f"expected a name or a local file, got the address {address}, which is read only inside Isaac Sim; run this "
        f"there, or copy it: in Isaac Sim, Content browser > Download, with all it uses; then give the local {name}"
    )


def unreachable_folder(address: str) -> GraspdError:
    """Return the error for a dataset whose folder is given by its address where it cannot be reached.

    Args:
        address: The address.
    """
    return GraspdError(
        f"expected a local folder or an s3:// address, got {address}, which is reached only inside Isaac Sim; use a "
        f"local folder, and copy it there: omni.client.copy('FOLDER', '{address}') in Isaac Sim's Script Editor"
    )
