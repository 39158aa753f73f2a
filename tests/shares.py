"""A share of a test's cases for `make test`; `make test-long`, and so CI, runs the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def share(cases: Iterable[Any], *chosen: int) -> list[Any]:
    """Return the cases of a parametrized test, all marked long but the chosen ones (by index)."""
    return [
        case
        if index in chosen
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.long)
        for index, case in enumerate(cases)
    ]
