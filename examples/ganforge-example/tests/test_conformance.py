"""ganforge's conformance kit, on every component of this package."""

from __future__ import annotations

from collections.abc import Callable

import ganforge_example

from ganforge.testing import check_component, parametrize_with_checks


@parametrize_with_checks(ganforge_example)
def test_contract(check: Callable[[], None]) -> None:
    check()


def test_contracts_of_the_discriminator_with_spectral_norm() -> None:
    (spec,) = ganforge_example.ganforge_discriminators()
    results = check_component(spec, options={"spectral_norm": True})
    assert [result for result in results if result.failed] == []
