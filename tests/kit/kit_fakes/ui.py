# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
"""omni.ui: widgets that record their tree, models that hold values and call back, so that a test can click and type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_CONTAINERS = ("HStack", "VStack", "ZStack", "Frame", "ScrollingFrame", "CollapsableFrame")
_MODELS = {"SimpleBoolModel": False, "SimpleFloatModel": 0.0, "SimpleIntModel": 0, "SimpleStringModel": ""}
_FIELDS = {
    "CheckBox": "SimpleBoolModel",
    "FloatDrag": "SimpleFloatModel",
    "FloatField": "SimpleFloatModel",
    "FloatSlider": "SimpleFloatModel",
    "IntDrag": "SimpleIntModel",
    "IntField": "SimpleIntModel",
    "IntSlider": "SimpleIntModel",
    "ProgressBar": "SimpleFloatModel",
    "StringField": "SimpleStringModel",
}
_PLAIN = ("Line", "Separator", "Spacer", "ImageWithProvider", "RadioCollection")


class Tree:
    """The containers that are open, and the frames that wait to be built."""

    def __init__(self) -> None:
        self.open: list[Any] = []
        self.waiting: list[Any] = []
        self.all: list[Any] = []

    def made(self, kind: str) -> list[Any]:
        """Return all widgets of a kind that were ever made, in windows or not."""
        return [widget for widget in self.all if type(widget).__name__ == kind]


def behaviours(kit: Any) -> dict[str, dict[str, Any]]:
    """Return functions and classes by module and name."""
    tree = kit.tree
    made: dict[str, Any] = {"AbstractValueModel": _value_model(), "AbstractItemModel": _item_model(kit)}
    made |= {name: _simple_model(name, start) for name, start in _MODELS.items()}
    made |= {name: _container(name, tree) for name in _CONTAINERS}
    made |= {name: _field(name, model, kit) for name, model in _FIELDS.items()}
    made |= {name: _class(name, {"__init__": _placed(tree)}) for name in _PLAIN}
    made |= {"Button": _button("Button", tree), "RadioButton": _button("RadioButton", tree)}
    made |= {"Label": _label(tree), "Plot": _plot(tree), "ComboBox": _combo(kit), "TreeView": _tree_view(kit)}
    made |= {"Window": _window(kit), "Workspace": _workspace(kit), "ByteImageProvider": _image_provider()}
    return {"omni.ui": made}


def _class(name: str, members: dict[str, Any], base: str | None = "Widget") -> type:
    return type(name, (), members | {"_fake_base": base})


def _place(widget: Any, tree: Tree) -> None:
    widget.fake_children = []
    for name, start in (("enabled", True), ("identifier", ""), ("visible", True)):
        vars(widget).setdefault(name, start)
    tree.all.append(widget)
    if tree.open:
        tree.open[-1].fake_children.append(widget)


def _placed(tree: Tree) -> Callable:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        _place(self, tree)
        self.fake_args = args

    return __init__


def walk(widget: Any) -> Iterator[Any]:
    """Yield a widget and all below it."""
    yield widget
    for child in list(getattr(widget, "fake_children", ())):
        yield from walk(child)


def _container(name: str, tree: Tree) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        _place(self, tree)
        self._build = kwargs.get("build_fn")
        if args and name == "CollapsableFrame":
            self.fake_text = args[0]
        if self._build:
            tree.waiting.append(self)

    def __enter__(self: Any) -> Any:
        if "Frame" in name:
            self.fake_children = []
        tree.open.append(self)
        return self

    def __exit__(self: Any, *_: Any) -> None:
        assert tree.open.pop() is self

    def set_build_fn(self: Any, fn: Callable) -> None:
        self._build = fn
        tree.waiting.append(self)

    def rebuild(self: Any) -> None:
        tree.waiting.append(self)

    def fake_build(self: Any) -> None:
        self.fake_children = []
        with self:
            self._build()

    def clear(self: Any) -> None:
        self.fake_children = []

    members = {"__init__": __init__, "__enter__": __enter__, "__exit__": __exit__, "fake_build": fake_build}
    if name in ("Frame", "CollapsableFrame"):
        members |= {"set_build_fn": set_build_fn, "rebuild": rebuild}
    if name in ("Frame", "HStack", "VStack", "ZStack"):
        members |= {"clear": clear}
    return _class(name, members)


def _value_model() -> type:
    class AbstractValueModel:
        _fake_base = None

        def _fake_start(self) -> None:
            if "_changed" not in vars(self):
                self._value, self._changed, self._ended = None, [], []

        def __init__(self) -> None:
            self._fake_start()

        def set_value(self, value: Any) -> None:
            self._fake_start()
            value = value if self._value is None else type(self._value)(value)
            if value != self._value:
                self._value = value
                self._value_changed()

        def get_value_as_bool(self) -> bool:
            return bool(self._value)

        def get_value_as_float(self) -> float:
            return float(self._value or 0.0)

        def get_value_as_int(self) -> int:
            return int(self._value or 0)

        def get_value_as_string(self) -> str:
            return str(self._value)

        def add_value_changed_fn(self, fn: Callable) -> int:
            self._fake_start()
            self._changed.append(fn)
            return len(self._changed)

        def add_end_edit_fn(self, fn: Callable) -> int:
            self._fake_start()
            self._ended.append(fn)
            return len(self._ended)

        def _value_changed(self) -> None:
            self._fake_start()
            for fn in list(self._changed):
                fn(self)

        def fake_input(self, value: Any) -> None:
            """Do what a user's edit does."""
            self.set_value(value)
            for fn in list(self._ended):
                fn(self)

    return AbstractValueModel


def _simple_model(name: str, start: Any) -> type:
    def __init__(self: Any, *args: Any) -> None:
        self._fake_start()
        self._value = type(start)(args[0]) if args else start

    return _class(name, {"__init__": __init__}, "AbstractValueModel")


def _item_model(kit: Any) -> type:
    class AbstractItemModel:
        _fake_base = None

        def _fake_start(self) -> None:
            if "_listeners" not in vars(self):
                self._listeners: list[Callable] = []
                self._items: list[Any] = []
                self._index: Any = None

        def __init__(self) -> None:
            self._fake_start()

        def get_item_children(self, item: Any = None) -> list:
            self._fake_start()
            return list(self._items) if item is None else []

        def get_item_value_model(self, item: Any = None, column_id: int = 0) -> Any:
            return self._index if item is None else item._model

        def get_item_value_model_count(self, item: Any = None) -> int:
            return 1

        def append_child_item(self, parent_item: Any, model: Any) -> Any:
            self._fake_start()
            item = kit.modules["omni.ui"].AbstractItem()
            item._model = model
            self._items.append(item)
            self._item_changed(None)
            return item

        def add_item_changed_fn(self, fn: Callable) -> int:
            self._fake_start()
            self._listeners.append(fn)
            return len(self._listeners)

        def _item_changed(self, item: Any) -> None:
            self._fake_start()
            for fn in list(self._listeners):
                fn(self, item)

    return AbstractItemModel


def _field(name: str, model_name: str, kit: Any) -> type:
    def __init__(self: Any, model: Any = None, **kwargs: Any) -> None:
        _place(self, kit.tree)
        given = model if model is not None else kwargs.get("model")
        self.model = given if given is not None else getattr(kit.modules["omni.ui"], model_name)()

    def fake_input(self: Any, value: Any) -> None:
        _require_enabled(self)
        self.model.fake_input(value)

    return _class(name, {"__init__": __init__, "fake_input": fake_input})


def _require_enabled(widget: Any) -> None:
    assert vars(widget).get("enabled", True), f"{widget} is not enabled"
    assert vars(widget).get("visible", True), f"{widget} is not visible"


def _button(name: str, tree: Tree) -> type:
    def __init__(self: Any, text: str = "", **kwargs: Any) -> None:
        _place(self, tree)
        self.text = kwargs.get("text", text)
        self._clicked = kwargs.get("clicked_fn")

    def set_clicked_fn(self: Any, fn: Callable) -> None:
        self._clicked = fn

    def fake_click(self: Any) -> None:
        _require_enabled(self)
        assert self._clicked, f"button {self.text!r} does nothing"
        self._clicked()

    members = {"__init__": __init__, "fake_click": fake_click}
    return _class(name, members | ({"set_clicked_fn": set_clicked_fn} if name == "Button" else {}))


def _label(tree: Tree) -> type:
    def __init__(self: Any, text: str, **kwargs: Any) -> None:
        _place(self, tree)
        self.text = text

    return _class("Label", {"__init__": __init__})


def _plot(tree: Tree) -> type:
    def __init__(
        self: Any, type: Any = None, scale_min: float = 0.0, scale_max: float = 0.0, *data: Any, **_: Any
    ) -> None:
        _place(self, tree)
        self.fake_data = data

    def set_data(self: Any, *data: float) -> None:
        self.fake_data = data

    return _class("Plot", {"__init__": __init__, "set_data": set_data})


def _combo(kit: Any) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        _place(self, kit.tree)
        ui = kit.modules["omni.ui"]
        given = args[0] if args and isinstance(args[0], ui.AbstractItemModel) else kwargs.get("model")
        self.model = given or ui.AbstractItemModel()
        if given is None:
            self.model._index = ui.SimpleIntModel(args[0] if args else 0)
            for text in args[1:]:
                self.model.append_child_item(None, ui.SimpleStringModel(text))
            self.model._index.add_value_changed_fn(lambda _: self.model._item_changed(None))

    def fake_items(self: Any) -> list[str]:
        items = self.model.get_item_children(None)
        return [self.model.get_item_value_model(item, 0).get_value_as_string() for item in items]

    def fake_choose(self: Any, text: str) -> None:
        _require_enabled(self)
        self.model.get_item_value_model(None, 0).set_value(self.fake_items().index(text))

    return _class("ComboBox", {"__init__": __init__, "fake_items": fake_items, "fake_choose": fake_choose})


def _tree_view(kit: Any) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        _place(self, kit.tree)
        self.model = args[0] if args else kwargs.get("model")
        self.delegate = kwargs.get("delegate")
        self.selection = []
        self._selected: list[Callable] = []

    def set_selection_changed_fn(self: Any, fn: Callable) -> None:
        self._selected.append(fn)

    def clear_selection(self: Any) -> None:
        self.fake_select([])

    def fake_rows(self: Any) -> list[list[str]]:
        columns = range(self.model.get_item_value_model_count(None))
        items = self.model.get_item_children(None)
        return [[self.model.get_item_value_model(i, c).get_value_as_string() for c in columns] for i in items]

    def fake_select(self: Any, items: list[Any]) -> None:
        self.selection = list(items)
        for fn in self._selected:
            fn(list(items))

    def fake_build(self: Any) -> None:
        """Draw header and rows through the delegate, into the widget's children."""
        self.fake_children = []
        columns = range(self.model.get_item_value_model_count(None))
        kit.tree.open.append(self)
        for column in columns:
            self.delegate.build_header(column)
        for item in self.model.get_item_children(None):
            for column in columns:
                self.delegate.build_widget(self.model, item, column, 0, False)
        assert kit.tree.open.pop() is self

    members = {"__init__": __init__, "set_selection_changed_fn": set_selection_changed_fn}
    members |= {"clear_selection": clear_selection, "fake_rows": fake_rows, "fake_select": fake_select}
    return _class("TreeView", members | {"fake_build": fake_build})


def _window(kit: Any) -> type:
    class Window:
        _fake_base = None

        def __init__(self, title: str, dockPreference: Any = None, **kwargs: Any) -> None:
            self._title, self._visibility_fns = title, []
            self._frame = kit.modules["omni.ui"].Frame()
            vars(self).setdefault("_is_visible", True)
            kit.windows.append(self)

        @property
        def frame(self) -> Any:
            return self._frame

        @property
        def title(self) -> str:
            return self._title

        @property
        def visible(self) -> bool:
            return vars(self).get("_is_visible", True)

        @visible.setter
        def visible(self, value: bool) -> None:
            changed, self._is_visible = value != vars(self).get("_is_visible", True), value
            for fn in vars(self).get("_visibility_fns", []) if changed else []:
                fn(value)

        def set_visibility_changed_fn(self, fn: Callable) -> None:
            self._visibility_fns.append(fn)

        def destroy(self) -> None:
            if self in kit.windows:
                kit.windows.remove(self)

    return Window


def _workspace(kit: Any) -> type:
    class Workspace:
        @staticmethod
        def get_window(title: str) -> Any:
            return next((window for window in kit.windows if window._title == title), None)

    return Workspace


def _image_provider() -> type:
    class ByteImageProvider:
        _fake_base = None

        def set_bytes_data(self, data: Any, size: list[int]) -> None:
            assert len(data) == 4 * size[0] * size[1], "expected RGBA bytes of the size given"
            self.fake_data, self.fake_size = data, size

    return ByteImageProvider
