"""Kind and name to component, with its origin; a lookup that fails says what would have worked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar, overload

from ganforge.errors import (
    ENDINGS,
    PASSED_ON,
    PluginError,
    UsageError,
    did_you_mean,
    listed,
)
from ganforge.plugin.base_specs import ComponentSpec, Spec
from ganforge.plugin.keeping import settings_kept
from ganforge.printable import described, printable, represented


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """The origin of a component: an entry point of an installed package."""

    name: str
    package: str
    version: str
    module: str
    bundled: bool

    @property
    def label(self) -> str:
        """The plugin as messages call it."""
        return f"the plugin {self.name!r} of {self.package} {self.version}"


S = TypeVar("S", bound=Spec, covariant=True)
T = TypeVar("T", bound=Spec)


@dataclass(frozen=True, kw_only=True)
class Component(Generic[S]):
    """A spec and its origin."""

    spec: S
    plugin: Plugin

    @property
    def kind(self) -> str:
        return self.spec.kind

    @property
    def noun(self) -> str:
        """The word by which messages call it."""
        return self.spec.noun

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def qualified_name(self) -> str:
        """`package/name`: reaches a component whose short name another one has."""
        return f"{self.plugin.package}/{self.spec.name}"

    def build(self, *arguments: Any) -> Any:
        """Import the component's builder and call it with `(problem, options)`.

        Only kinds with a builder are asked: a recipe has none. A builder raises ValueError where
        the options do not fit the problem, which is a UsageError here.

        Raises PluginError, with the package named, for whatever the builder raises that is not
        ganforge's own error.
        """
        builder = self.builder()
        try:
            return self.call("could not be built", builder, *arguments)
        except PluginError as error:
            if type(error.__cause__) is ValueError:
                shown = printable(error.__cause__)
                raise UsageError(
                    f"the {self.noun} {self.name!r} cannot be built: {shown}"
                ) from error
            raise

    def builder(self) -> Any:
        """Import what the spec names as its builder. Raises PluginError where that fails."""
        assert isinstance(self.spec, ComponentSpec)
        module_name, _, path = self.spec.build.partition(":")
        try:
            with self._loading(module_name):
                target: Any = import_module(module_name)
                for attribute in path.split("."):
                    target = getattr(target, attribute)
        except ENDINGS:
            raise
        except BaseException as error:
            raise PluginError(
                f"{self.label} cannot be loaded: its builder {self.spec.build!r} raised "
                f"{described(error)}"
            ) from error
        return target

    def _loading(self, module_name: str) -> AbstractContextManager[None]:
        """Whatever loading changes of the process is set back; what is loaded changes nothing."""
        module = sys.modules.get(module_name)
        if module is not None and not hasattr(module, "__getattr__"):
            return nullcontext()
        return settings_kept(f"{self.label}, when its builder was loaded,")

    def call(self, failure: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of the plugin, and return what it returns.

        What it changes of the process is set back, with a warning that names the component.

        Raises PluginError, with the package named, for whatever the function raises that is not
        ganforge's own error; `failure` says what that means.
        """
        try:
            with settings_kept(self.label):
                return function(*arguments)
        except PASSED_ON:
            raise
        except BaseException as error:
            raise PluginError(f"{self.label} {failure}: {described(error)}") from error

    def shape(self, name: str, function: Callable[..., Any], *arguments: Any) -> tuple[int, ...]:
        """The shape that a function of the spec gives. Raises PluginError where it is none."""
        found = self.call(f"cannot tell its {name}", function, *arguments)
        if (
            isinstance(found, tuple)
            and found
            and all(type(side) is int and side > 0 for side in found)
        ):
            return found
        raise PluginError(
            f"{self.label} must give its {name} as (3, 64, 64) or (2,), not {represented(found)}"
        )

    @property
    def origin(self) -> str:
        return f"{self.plugin.package} {self.plugin.version}"

    @property
    def label(self) -> str:
        """The component as messages name it, with its package."""
        return f"the {self.noun} {self.name!r} of {self.origin}"


class Registry:
    """The components of all working plugins.

    Bundled names are reserved: installing a package never changes what a short name means. A
    component whose name a bundled one has is shadowed, and reachable by its qualified name. Of two
    third-party twins neither has the short name.
    """

    def __init__(
        self, components: Iterable[Component[Spec]], failures: Mapping[Plugin, str] | None = None
    ) -> None:
        self._components = tuple(components)
        self._failures = dict(failures or {})

    def __iter__(self) -> Iterator[Component[Spec]]:
        return iter(self._components)

    def with_components(self, components: Iterable[Component[Spec]]) -> Registry:
        """A registry of other components, which knows of the same failures."""
        return Registry(components, self._failures)

    @property
    def packages(self) -> set[str]:
        """The packages whose plugins were loaded, or failed to."""
        return {it.plugin.package for it in self._components} | {
            it.package for it in self._failures
        }

    @overload
    def of_kind(self, kind: type[T]) -> list[Component[T]]: ...
    @overload
    def of_kind(self, kind: str) -> list[Component[Spec]]: ...
    def of_kind(self, kind: type[Spec] | str) -> Any:
        """The components of a kind, given by its name or by the class of its specs."""
        wanted = kind if isinstance(kind, str) else kind.kind
        return [component for component in self._components if component.kind == wanted]

    def shadowed_by(self, component: Component[Spec]) -> list[Component[Spec]]:
        """The components that keep this one from its short name; empty where it has it."""
        twins = [
            other
            for other in self.of_kind(component.kind)
            if other.name == component.name and other is not component
        ]
        if component.plugin.bundled:
            return []
        return [twin for twin in twins if twin.plugin.bundled] or twins

    def short_name(self, component: Component[Spec]) -> str:
        """The shortest name that finds this component."""
        return component.qualified_name if self.shadowed_by(component) else component.name

    @overload
    def find(self, kind: type[T], name: str) -> Component[T]: ...
    @overload
    def find(self, kind: str, name: str) -> Component[Spec]: ...
    def find(self, kind: type[Spec] | str, name: str) -> Any:
        """The component of this kind with this short or qualified name.

        Raises UsageError with the nearest names and the plugins that failed to load.
        """
        noun = kind if isinstance(kind, str) else kind.noun
        candidates = self.of_kind(kind)
        if "/" in name:
            matches = [c for c in candidates if c.qualified_name.lower() == name.lower()]
        else:
            matches = [c for c in candidates if c.name == name and not self.shadowed_by(c)]
            if not matches and (twins := [c for c in candidates if c.name == name]):
                ways = listed([repr(twin.qualified_name) for twin in twins])
                raise UsageError(
                    f"{len(twins)} packages have a {noun} called {name!r}; write one of {ways}"
                )
        if matches:
            return matches[0]
        known = sorted(self.short_name(c) for c in candidates)
        near = did_you_mean(name, known)
        message = (
            f"there is no {noun} called {printable(name)!r}{near or '; there are ' + listed(known)}"
        )
        raise self.not_found(message)

    def not_found(self, message: str) -> UsageError:
        """The error of a name that no working plugin offers, with the plugins that do not work."""
        if self._failures:
            failed = "; ".join(
                f"{plugin.name} of {plugin.package} {plugin.version} ({reason})"
                for plugin, reason in self._failures.items()
            )
            stop = "" if message.endswith("?") else "."
            message += f"{stop} Plugins that failed to load: {failed}"
        return UsageError(message)
