# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""The application: main loop, settings, log, extensions, menus."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""

    class IApp:
        async def next_update_async(self, name: str = "", order: int = 50) -> float:
            kit.draw()
            kit.updates += 1
            kit.usd.loading = max(kit.usd.loading - 1, 0)
            await asyncio.sleep(0)
            return 1.0 / 60.0

        post_update_async = pre_update_async = next_update_async

        def post_quit(self, return_code: int = 0) -> None:
            kit.exit_code = return_code

        post_uncancellable_quit = post_quit

        def is_running(self) -> bool:
            return kit.exit_code is None

        def update(self) -> None:
            raise RuntimeError("update() inside Kit's own loop runs it within itself; await next_update_async()")

        def get_kit_version(self) -> str:
            return {"5.1": "107.3.3", "6.0": "110.1.2"}[kit.version]

        def get_app_version(self) -> str:
            return {"5.1": "5.1.0", "6.0": "6.0.1"}[kit.version]

    class ExtensionManager:
        def get_extension_path(self, ext_id: str) -> str:
            return kit.extensions.get(ext_id, "")

        def get_enabled_extension_id(self, ext_name: str) -> str:
            return next((key for key in kit.extensions if key.rpartition("-")[0] == ext_name), "")

        def is_extension_enabled(self, ext_name: str) -> bool:
            return any(key.rpartition("-")[0] == ext_name for key in kit.extensions)

    class MenuHelperExtensionFull:
        def menu_startup(
            self,
            create_window_fn: Any,
            window_name: str,
            menu_desc: str,
            menu_group: str,
            window_attr_name: str | None = None,
            verbose: bool = False,
        ) -> int:
            def toggle() -> Any:
                shown = self._opened is not None and self._opened.visible
                self.show_window(None, not shown, 0)
                return self._opened

            self._create, self._opened, self._menu = create_window_fn, None, f"{menu_group}/{menu_desc}"
            kit.menus[self._menu] = toggle
            return 0

        def show_window(self, menu: Any, value: bool, index: int) -> None:
            """Make the window, and have it destroyed a frame after it is hidden, by its X or by the menu."""
            if not value:
                if self._opened is not None:
                    self._opened.visible = False
                return
            self._opened = self._create()
            self._opened.visible = False
            self._opened.set_visibility_changed_fn(self._changed)
            self._opened.visible = True

        def _changed(self, visible: bool) -> None:
            if not visible:
                asyncio.ensure_future(self._destroy())  # noqa: RUF006 as Kit does

        async def _destroy(self) -> None:
            await asyncio.sleep(0)
            if self._opened is not None:
                self._opened.destroy()
                self._opened = None

        def menu_shutdown(self, index: int = -1) -> bool:
            if getattr(self, "_opened", None) is not None:
                self._opened.destroy()
                self._opened = None
            return kit.menus.pop(getattr(self, "_menu", ""), None) is not None

    class MenuHelperExtension:
        def menu_startup(self, window_name: str, menu_desc: str, menu_group: str, **_: Any) -> bool:
            kit.menus[f"{menu_group}/{menu_desc}"] = window_name
            self._menu = f"{menu_group}/{menu_desc}"
            return True

        def menu_shutdown(self) -> bool:
            return kit.menus.pop(getattr(self, "_menu", ""), None) is not None

    class MenuItemDescription:
        def __init__(self, name: str = "", **kwargs: Any) -> None:
            self._name, self._arguments = name, kwargs

    def add_menu_items(menu: list, name: str, *args: Any, **kwargs: Any) -> list:
        kit.menus.update({f"{name}/{item._name}": item._arguments for item in menu})
        return menu

    def remove_menu_items(menu: list, name: str, *args: Any, **kwargs: Any) -> None:
        for item in menu:
            del kit.menus[f"{name}/{item._name}"]

    def log(level: str) -> Any:
        return lambda msg: kit.log.append((level, msg))

    return {
        "carb": {f"log_{level}": log(level) for level in ("error", "info", "verbose", "warn")},
        "carb.settings": {"ISettings": _settings(kit)},
        "omni.ext": {"ExtensionManager": ExtensionManager},
        "omni.kit.app": {"IApp": IApp},
        "omni.kit.window.filepicker": {"FilePickerDialog": _file_dialog(kit)},
        "omni.kit.async_engine": {"run_coroutine": asyncio.ensure_future},
        "omni.kit.menu.utils": {
            "MenuHelperExtension": MenuHelperExtension,
            "MenuHelperExtensionFull": MenuHelperExtensionFull,
            "MenuItemDescription": MenuItemDescription,
            "add_menu_items": add_menu_items,
            "remove_menu_items": remove_menu_items,
        },
        "isaacsim.core.simulation_manager": {"SimulationManager": _simulation_manager(kit)},
    }


def _file_dialog(kit: Any) -> type:
    class FilePickerDialog:
        def __init__(self, title: str, **kwargs: Any) -> None:
            self._arguments, self._shown = kwargs, False
            kit.dialogs.append(self)

        def show(self, path: str | None = None) -> None:
            self._shown = True

        def hide(self) -> None:
            self._shown = False

        def fake_apply(self, filename: str, dirname: str) -> None:
            """Do what the user's click on the apply button does."""
            assert self._shown
            self._arguments["click_apply_handler"](filename, dirname)

    return FilePickerDialog


def _simulation_manager(kit: Any) -> type:
    class SimulationManager:
        @staticmethod
        def get_active_physics_engine() -> str:
            return kit.engine

    return SimulationManager


def _settings(kit: Any) -> type:
    class ISettings:
        def get(self, path: str) -> Any:
            return kit.settings.get(path)

        def set(self, path: str, value: Any) -> None:
            kit.settings[path] = value

        set_bool = set_int = set_float = set_string = set

        def set_default(self, path: str, value: Any) -> None:
            kit.settings.setdefault(path, value)

        set_default_bool = set_default_int = set_default_float = set_default_string = set_default

        def get_as_bool(self, path: str) -> bool:
            return bool(kit.settings.get(path))

        def get_as_int(self, path: str) -> int:
            return int(kit.settings.get(path) or 0)

        def get_as_float(self, path: str) -> float:
            return float(kit.settings.get(path) or 0.0)

        def get_as_string(self, path: str) -> str:
            return str(kit.settings.get(path) or "")

        def destroy_item(self, path: str) -> None:
            with contextlib.suppress(KeyError):
                del kit.settings[path]

    return ISettings
