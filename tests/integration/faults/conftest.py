"""The faults tests start from the hubs of the hub's own tests."""

from tests.integration.hub.conftest import made_up_hub, sqlite_hub

__all__ = ["made_up_hub", "sqlite_hub"]
