"""The office of tests/core/house.py as a fixture."""

from tests.core.conftest import office

__all__ = ["office"]
