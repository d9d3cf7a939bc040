"""A shop in trouble."""

import pytest

from fakes.shop import Shop


@pytest.fixture
def shop(tmp_path):
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


@pytest.fixture
def asked(shop):
    """The shop once a person is asked to approve."""
    shop.alert()
    assert shop.run().waiting == "approval"
    return shop
