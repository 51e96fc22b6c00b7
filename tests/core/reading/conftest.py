"""The catalogue and the day that requests are read with."""

from datetime import date

import pytest

from core.catalogue import Catalogue
from tests.core.reading.price_lists import SAMPLES, load_catalogue


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The sample company's price list and customers."""
    return load_catalogue(SAMPLES)


@pytest.fixture(scope="session")
def today() -> date:
    """A Wednesday."""
    return date(2026, 11, 25)
