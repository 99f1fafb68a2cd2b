# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""Keep the part of the facts about Kit that the tests need: ``python keep_facts.py kit_api.json``.

Whole modules are kept, so that what is near a symbol we use is known as well. Members of omni.ui's classes that the
full file only mentions in notes, and what was read later, are added here, each with its source.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

KEPT = (
    "carb",
    "carb.settings",
    "isaacsim",
    "isaacsim.core.simulation_manager",
    "isaacsim.robot_setup.grasp_editor",
    "isaacsim.storage.native",
    "isaacsim.util.debug_draw._debug_draw",
    "omni.ext",
    "omni.kit.app",
    "omni.kit.async_engine",
    "omni.kit.menu.utils",
    "omni.kit.notification_manager",
    "omni.kit.test",
    "omni.kit.ui_test",
    "omni.kit.viewport.utility",
    "omni.kit.viewport.utility.camera_state",
    "omni.physx",
    "omni.physx.bindings._physx",
    "omni.physx.scripts.utils",
    "omni.replicator.core",
    "omni.replicator.core.annotators",
    "omni.replicator.core.backends",
    "omni.replicator.core.create",
    "omni.replicator.core.functional.modify",
    "omni.replicator.core.orchestrator",
    "omni.replicator.core.settings",
    "omni.replicator.core.trigger",
    "omni.replicator.core.utils",
    "omni.replicator.core.utils.viewport_manager",
    "omni.replicator.core.writers",
    "omni.stageupdate",
    "omni.timeline",
    "omni.ui",
    "omni.usd",
)
_TYPINGS = {
    "source": "work-r-labs/isaacsim_typings_5:typings/omni/usd/_usd.pyi (stub generated from Isaac Sim 5.0)",
    "verified": "source",
}
_UI_DOCS = "NVIDIA-Omniverse/kit-usd-agents: omni_ui_fns class pages"
_WIDGET = (
    "width height visible enabled name style tooltip tooltip_fn identifier checked selected style_type_name_override"
)
_WITH_MODEL = (
    "CheckBox ComboBox FloatDrag FloatField FloatSlider IntDrag IntField IntSlider ProgressBar StringField TreeView"
)
_KEYWORDS = {
    "Button": "text clicked_fn image_url image_width image_height spacing",
    "ComboBox": "arrow_only",
    "CollapsableFrame": "title collapsed build_header_fn build_fn",
    "FloatDrag": "min max step format",
    "FloatField": "precision",
    "FloatSlider": "min max step format precision",
    "Frame": "build_fn horizontal_clipping vertical_clipping opaque_for_mouse_events",
    "HStack": "spacing direction content_clipping",
    "ImageWithProvider": "fill_policy alignment",
    "IntDrag": "min max step",
    "IntSlider": "min max step",
    "Label": "text alignment word_wrap elided_text",
    "Line": "alignment",
    "RadioButton": "text radio_collection clicked_fn",
    "ScrollingFrame": "horizontal_scrollbar_policy vertical_scrollbar_policy scroll_y scroll_x",
    "StringField": "read_only multiline password_mode",
    "TreeView": "root_visible header_visible delegate column_widths columns_resizable selection",
    "VStack": "spacing direction content_clipping",
    "Window": "flags title padding_x padding_y position_x position_y raster_policy",
    "ZStack": "direction content_clipping",
}
"""Keywords, which are properties as well, of each class beside those of every widget."""
_METHODS = {
    "AbstractItemModel": {"_item_changed": ["item"]},
    "AbstractValueModel": {"_value_changed": []},
    "Button": {"set_clicked_fn": ["fn"]},
    "CollapsableFrame": {"set_build_fn": ["fn"], "rebuild": []},
    "Frame": {"set_build_fn": ["fn"], "rebuild": [], "clear": []},
    "HStack": {"clear": []},
    "Plot": {"set_data": ["*args"]},
    "TreeView": {"set_selection_changed_fn": ["fn"], "clear_selection": []},
    "VStack": {"clear": []},
    "ZStack": {"clear": []},
}


def _added_context() -> dict[str, dict[str, Any]]:
    flag = [{"name": "arg0", "kind": "positional_only", "annotation": "bool"}]
    return {
        "UsdContext.has_pending_edit": {"kind": "method", "signature": [], "returns": "bool"} | _TYPINGS,
        "UsdContext.set_pending_edit": {"kind": "method", "signature": flag, "returns": "None"} | _TYPINGS,
    }


def _added_backend() -> dict[str, dict[str, Any]]:
    names = [{"name": name, "kind": "positional_or_keyword"} for name in ("path", "data")]
    fact = {"kind": "method", "signature": names, "returns": "None", "verified": "source"}
    source = "omni.replicator.core 1.12.27 source, scripts/backends and write_metadata of scripts/writers.py"
    fact |= {"source": f"{source} (public text index; repository unnamed)"}
    begin = {
        **{"kind": "method", "signature": [{"name": "kwargs", "kind": "var_keyword"}], "returns": "None"},
        **{"source": "isaac-sim/IsaacSim v5.1.0 and v6.0.1 standalone_examples", "verified": "usage"},
    }
    # The second inherits from the first.
    return {"BaseBackend.write_blob": fact, "DiskBackend.write_blob": fact, "DiskBackend.initialize": begin}


def _added_client() -> dict[str, dict[str, Any]]:
    """omni.client: the blocking functions as NVIDIA's pages have them, the classes as their stub file has them."""
    page = "docs pages omni.client docs.omniverse.nvidia.com/kit/docs/omni.client.lib/1.1.1/omni.client"
    stub = "stub file omni/client/impl/_omniclient.pyi (public text index; repository unnamed)"
    same = "used in the same way in isaac-sim/IsaacSim v6.0.1 (isaacsim.storage.native)"
    arguments = {
        "copy_file": [
            ("src_url", None),
            ("dst_url", None),
            ("behavior", "CopyBehavior.ERROR_IF_EXISTS"),
            ("message", "''"),
        ],
        "delete": [("url", None)],
        "list": [("url", None), ("include_deleted_option", "ListIncludeOption.NO_DELETED_FILES")],
        "stat": [("url", None), ("include_deleted_option", "ListIncludeOption.NO_DELETED_FILES")],
    }
    facts: dict[str, dict[str, Any]] = {}
    for name, items in arguments.items():
        signature = [
            {"name": item, "kind": "positional_or_keyword"} | ({} if default is None else {"default": default})
            for item, default in items
        ]
        facts[name] = {"kind": "function", "signature": signature, "source": page, "verified": "docs"}
        facts[name]["isaacsim6"] = same
    for name in ("CopyBehavior.OVERWRITE", "ItemFlags.CAN_HAVE_CHILDREN", "Result.ERROR_NOT_FOUND", "Result.OK"):
        facts[name] = {"kind": "constant", "value": "enum", "source": stub, "verified": "source", "isaacsim6": same}
    facts["ItemFlags.CAN_HAVE_CHILDREN"]["value"] = "4"
    for name, kind in (("relative_path", "str"), ("flags", "int"), ("size", "int"), ("modified_time", "datetime")):
        facts[f"ListEntry.{name}"] = {
            **{"kind": "method", "binding": "property", "signature": [], "returns": kind},
            **{"source": stub, "verified": "source"},
        }
    return facts


def _added_graphs() -> dict[str, dict[str, dict[str, Any]]]:
    """Functions of Replicator's graphs, as NVIDIA's examples call them; only our examples do."""
    source = "isaac-sim/IsaacSim v6.0.1 standalone_examples: benchmarks/benchmark_sdg.py, custom_event_and_write.py"
    arguments = {
        "distribution": {"uniform": {"lower": None, "upper": None}},
        "get": {"prim_at_path": {"path": None}},
        "modify": {"pose": {"position": "None", "rotation": "None", "scale": "None"}},
    }
    facts: dict[str, dict[str, dict[str, Any]]] = {}
    for module, functions in arguments.items():
        for name, items in functions.items():
            signature = [
                {"name": item, "kind": "positional_or_keyword"} | ({} if default is None else {"default": default})
                for item, default in items.items()
            ]
            fact = {"kind": "function", "signature": signature, "source": source, "verified": "usage"}
            facts.setdefault(f"omni.replicator.core.{module}", {})[name] = fact
    return facts


def _added_file_dialog() -> dict[str, dict[str, Any]]:
    page = "docs page omni.kit.window.filepicker docs.omniverse.nvidia.com/kit/docs/omni.kit.window.filepicker/latest"
    facts = {name: {"kind": "method", "signature": []} for name in ("destroy", "hide")}
    facts["show"] = {
        "kind": "method",
        "signature": [{"name": "path", "kind": "positional_or_keyword", "default": "None"}],
    }
    for name in (
        *("width", "height", "click_apply_handler", "click_cancel_handler", "apply_button_label", "item_filter_fn"),
        *("current_directory", "current_filename", "allow_multi_selection", "item_filter_options"),
    ):
        facts[name] = {"kind": "keyword"}
    title = [
        {"name": "title", "kind": "positional_or_keyword"},
        {"name": "kwargs", "kind": "var_keyword"},
    ]
    made = {"FilePickerDialog": {"kind": "class", "signature": title}}
    made |= {f"FilePickerDialog.{name}": fact for name, fact in facts.items()}
    return {name: fact | {"source": page, "verified": "docs"} for name, fact in made.items()}


def _added_widgets() -> dict[str, dict[str, Any]]:
    facts: dict[str, dict[str, Any]] = {}

    def add(name: str, **fact: Any) -> None:
        facts[name] = fact | {"source": _UI_DOCS, "verified": "docs"}

    for keyword in _WIDGET.split():
        add(f"Widget.{keyword}", kind="keyword")
    for owner, keywords in _KEYWORDS.items():
        for keyword in keywords.split():
            add(f"{owner}.{keyword}", kind="keyword")
    for owner in _WITH_MODEL.split():
        add(f"{owner}.model", kind="keyword")
    add("TreeView.selection", kind="keyword")
    for owner, methods in _METHODS.items():
        for name, parameters in methods.items():
            signature = [
                {"name": text.lstrip("*"), "kind": "var_positional" if text[0] == "*" else "positional_only"}
                for text in parameters
            ]
            add(f"{owner}.{name}", kind="method", signature=signature)
    delegate = {"build_branch": 5, "build_widget": 5, "build_header": 1}
    add("AbstractItemDelegate", kind="class", signature=[])
    for name, count in delegate.items():
        names = ("model", "item", "column_id", "level", "expanded") if count == 5 else ("column_id",)
        signature = [{"name": item, "kind": "positional_or_keyword"} for item in names]
        add(f"AbstractItemDelegate.{name}", kind="method", signature=signature)
    add(
        "AbstractItemModel.get_item_value_model_count",
        kind="method",
        signature=[{"name": "item", "kind": "positional_or_keyword", "default": "None"}],
    )
    add("Fraction", kind="class", signature=[{"name": "value", "kind": "positional_only"}])
    add("Pixel", kind="class", signature=[{"name": "value", "kind": "positional_only"}])
    add("Percent", kind="class", signature=[{"name": "value", "kind": "positional_only"}])
    add("ScrollBarPolicy.SCROLLBAR_ALWAYS_OFF", kind="constant", value="enum")
    add("ScrollBarPolicy.SCROLLBAR_AS_NEEDED", kind="constant", value="enum")
    add("ScrollBarPolicy.SCROLLBAR_ALWAYS_ON", kind="constant", value="enum")
    for side in ("LEFT_CENTER", "RIGHT_CENTER", "LEFT_TOP", "LEFT", "RIGHT", "TOP", "CENTER_TOP", "CENTER_BOTTOM"):
        add(f"Alignment.{side}", kind="constant", value="enum")
    return facts


def keep(full: dict[str, Any]) -> dict[str, Any]:
    """Return the kept modules, with the members that we add to omni.ui."""
    modules = {name: dict(full["modules"][name]) for name in KEPT}
    modules["omni.ui"] = _added_widgets() | modules["omni.ui"]
    modules["omni.kit.window.filepicker"] = _added_file_dialog()
    modules["omni.client"] = _added_client()
    modules |= _added_graphs()
    modules["omni.usd"] |= _added_context()
    modules["omni.replicator.core.backends"] |= _added_backend()
    modules["omni.ui"]["Workspace.get_window"] |= {"binding": "staticmethod"}
    meta = {key: full["_meta"][key] for key in ("main_target", "compared_with", "verified_values", "signature")}
    return {"_meta": meta, "modules": modules}


def _write(facts: dict[str, Any], path: Path) -> None:
    lines = ["{", f'"_meta": {json.dumps(facts["_meta"])},', '"modules": {']
    for index, (module, symbols) in enumerate(facts["modules"].items()):
        rows = [f"  {json.dumps(name)}: {json.dumps(fact)}" for name, fact in sorted(symbols.items())]
        end = "" if index == len(facts["modules"]) - 1 else ","
        lines += [f" {json.dumps(module)}: {{", ",\n".join(rows), f" }}{end}"]
    path.write_text("\n".join([*lines, "}", "}", ""]))


if __name__ == "__main__":
    _write(keep(json.loads(Path(sys.argv[1]).read_text())), Path(__file__).with_name("kit_facts.json"))
