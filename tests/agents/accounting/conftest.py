"""Payment runs in the office of tests/core/house.py."""

import pytest

from tests.agents.accounting.house import Accounting, open_accounting
from tests.core.conftest import office
from tests.core.house import Office

__all__ = ["office"]


@pytest.fixture
async def accounting(office: Office) -> Accounting:  # the fixture of that name
    """A company that pays, with three accountants."""
    return await open_accounting(office)
