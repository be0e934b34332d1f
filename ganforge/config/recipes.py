"""Recipes: configurations that plugins ship, read from their packages."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from pathlib import Path

from ganforge.config.layers import Layer, from_text
from ganforge.errors import PluginError
from ganforge.plugin.base_specs import Spec
from ganforge.plugin.registry import Component
from ganforge.plugin.specs import RecipeSpec
from ganforge.printable import described


def read_recipe(component: Component[Spec]) -> str:
    """The TOML of a recipe. Raises PluginError where the package does not have the file."""
    assert isinstance(component.spec, RecipeSpec)
    package, _, path = component.spec.file.partition(":")
    try:
        module = import_module(package)
        # A plugin of one file has its recipes beside it.
        folder = files(module) if hasattr(module, "__path__") else Path(str(module.__file__)).parent
        return folder.joinpath(path).read_text(encoding="utf-8")
    except Exception as error:
        raise PluginError(
            f"the recipe {component.name!r} of {component.origin} cannot be read: its file "
            f"{component.spec.file!r} raised {described(error)}"
        ) from error


def recipe_layer(component: Component[Spec]) -> Layer:
    """The layer of a recipe's values. Raises ConfigError where the file is not TOML."""
    return from_text(read_recipe(component), f"recipe {component.name}")
