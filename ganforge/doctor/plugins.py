"""Plugins that failed or are odd, and optional packages with what they would give."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from ganforge.errors import GanforgeError
from ganforge.plugin.base_specs import ComponentSpec
from ganforge.plugin.discovery import DISABLE_VARIABLE, Discovered, Discovery
from ganforge.plugin.options import describe
from ganforge.printable import printable

from .findings import Fact, Findings, Trouble

#: extra of ganforge -> a module of it, and what the core does with it; what components need, they
#: say themselves
CORE_EXTRAS = {
    "video": ("av", "movies, `ganforge sample RUN --out x.mp4`"),
    "onnx": ("onnxscript", "`ganforge export RUN --format onnx`"),
    "hub": ("huggingface_hub", "`ganforge push`"),
    "cluster": ("submitit", "`ganforge sweep --cluster`"),
    "search": ("optuna", "`ganforge sweep --search`"),
}
#: kinds whose components may need a package, and no data
ASKED = ("callback", "features")


def plugins(discovery: Discovery) -> Findings:
    """Every plugin that does not work as it was meant to."""
    bundled = [it for it in discovery.plugins if it.plugin.bundled]
    others = [it for it in discovery.plugins if not it.plugin.bundled]
    text = f"{len(bundled)} of ganforge's own"
    if others:
        shown = (f"{it.plugin.name} ({it.plugin.package} {it.plugin.version})" for it in others)
        text += f"; {', '.join(shown)}"
    yield Fact(subject="plugins", text=text)
    for found in discovery.plugins:
        yield from _of_plugin(found)


def _of_plugin(found: Discovered) -> Iterator[Trouble]:
    plugin, shown = found.plugin, found.plugin.label
    off = f"`export {DISABLE_VARIABLE}={plugin.name}`"
    if found.status == "failed":
        yield Trouble(
            name="plugin-that-failed",
            text=f"{shown} failed to load and is left out: {found.reason}",
            remedy=f"tell its author, install another version of it, or have it left alone: {off}",
        )
    if found.status == "shadowed":
        yield Trouble(
            name="plugin-that-is-shadowed",
            severity="warning",
            text=f"none of the components of {shown} has its short name, which another has",
            remedy=f"name them as `ganforge show {plugin.package}` does: `{plugin.package}/NAME`",
        )
    if found.status == "disabled":
        yield Trouble(
            name="plugin-that-is-disabled",
            severity="warning",
            text=f"{shown} is not loaded, as {DISABLE_VARIABLE} or --no-plugins says",
            remedy=f"`unset {DISABLE_VARIABLE}` loads it again",
        )
    odd = [*found.warnings]
    if found.imported_torch:
        odd.append("it imports torch when it is loaded, which makes every command slow")
    for warning in odd:
        yield Trouble(
            name="plugin-that-is-odd",
            severity="warning",
            text=f"{shown}: {warning}",
            remedy=f"tell its author; `ganforge check-plugin {plugin.package}` has all of it",
        )


def optional(discovery: Discovery) -> Findings:
    """Optional packages: what is there, and what the others would give."""
    there, absent = [], []
    for extra, (module, use) in CORE_EXTRAS.items():
        if find_spec(module) is not None:
            there.append(extra)
        else:
            absent.append(f"{use}: pip install 'ganforge[{extra}]'")
    for kind in ASKED:
        for component in discovery.registry.of_kind(kind):
            spec = component.spec
            if not isinstance(spec, ComponentSpec) or spec.check_available is None:
                continue
            if any(it.required for it in describe(spec.options)):
                continue
            try:
                component.call("cannot tell what it needs", spec.check_available, spec.options())
            except GanforgeError as error:
                absent.append(printable(error))
            else:
                there.append(component.name)
    yield Fact(subject="optional", text=", ".join(there) or "nothing is installed")
    for text in absent:
        yield Fact(subject="not there", text=text)
