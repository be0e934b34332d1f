"""The examination of an installation and its machine."""

from __future__ import annotations

from ganforge.plugin.discovery import Discovery

from . import devices, machine, plugins, software
from .findings import Examination, examination, told


def examine_environment(discovery: Discovery) -> Examination:
    """Everything that is known of what ganforge runs on; torch is asked in its own process."""
    probed = devices.probe()
    return examination(
        finding
        for rule, *arguments in (
            (software.packages,),
            (software.python,),
            (software.torch, probed),
            (devices.cpu, probed),
            (devices.cuda, probed),
            (devices.mps, probed),
            (machine.memory,),
            (machine.shared_memory,),
            (machine.temporary_space,),
            (machine.file_handles,),
            (machine.cache,),
            (machine.terminal,),
            (plugins.plugins, discovery),
            (plugins.optional, discovery),
        )
        for finding in told(rule, *arguments)
    )
