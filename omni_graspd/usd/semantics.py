# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic labels, authored by schema name so that OpenUSD 24 and 26 and Isaac Sim 5 and 6 all read them."""

from __future__ import annotations

from pxr import Sdf, Usd, Vt

_ATTRIBUTE = "semantics:labels:class"
_OLD_NAMESPACE = "semantic"


def apply_label(prim: Usd.Prim, label: str, taxonomy: str = "class") -> None:
    """Give a prim and everything below it a semantic label; Isaac Sim's annotators read the taxonomy ``class``."""
    prim.AddAppliedSchema(f"SemanticsLabelsAPI:{taxonomy}")
    attribute = prim.CreateAttribute(f"semantics:labels:{taxonomy}", Sdf.ValueTypeNames.TokenArray, custom=False)
    attribute.Set(Vt.TokenArray([label]))


def read_label(prim: Usd.Prim) -> str | None:
    """Return the semantic class authored on this very prim, or None; ancestors are not asked.

    Labels of Omniverse's older SemanticsAPI are read, too.
    """
    attribute = prim.GetAttribute(_ATTRIBUTE)
    labels = attribute.Get() if attribute else None
    return str(labels[0]) if labels else _read_old_label(prim)


def _read_old_label(prim: Usd.Prim) -> str | None:
    for attribute in prim.GetAuthoredPropertiesInNamespace(_OLD_NAMESPACE):
        name = attribute.GetName()
        if name.endswith(":params:semanticType") and attribute.Get() == "class":
            data = prim.GetAttribute(name.removesuffix("semanticType") + "semanticData")
            return str(data.Get()) if data and data.Get() else None
    return None


def labelled_ancestor(prim: Usd.Prim) -> Usd.Prim | None:
    """Return the nearest prim upward, the prim itself included, with a semantic class; None where there is none."""
    while prim and not prim.IsPseudoRoot():
        if read_label(prim) is not None:
            return prim
        prim = prim.GetParent()
    return None
