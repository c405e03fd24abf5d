"""Events of the hub's own operation: made, migrated, failed, refused to publish; each is there after its act."""

import pytest
from sqlalchemy import text

from hub.audit.tables import Detail
from hub.db import Database
from hub.errors import Conflict
from hub.operations.installation import migrate
from hub.release.publishing import log_refusal
from tests.databases import address_of


def told(database):
    with database.reading() as session:
        return [(row.event, row.resource, row.outcome, row.rule) for row in session.query(Detail)]


def test_a_new_home_begins_its_log_and_a_migration_goes_on_with_it(home, clock):
    url = address_of(home)

    migrate(url, clock=clock)

    database = Database(url)
    assert told(database) == [
        ("hub.initialised", "database", "done", None), ("database.migrated", "database", "done", None),
    ]  # fmt: skip
    database.close()


def test_a_request_that_fails_inside_the_hub_leaves_its_event_and_tells_nothing(sqlite_hub):
    with sqlite_hub.database.transaction() as session:
        session.execute(text("ALTER TABLE releases RENAME TO gone"))

    answer = sqlite_hub.client.get("/v1/releases")

    assert (answer.status_code, "releases" in answer.json()["detail"]) == (500, False)
    assert told(sqlite_hub.database)[-1] == ("request.failed", "/v1/releases", "failed", "hub-error")


def test_a_release_that_the_joint_audit_refuses_leaves_its_event(database, trail):
    with pytest.raises(Conflict), log_refusal(database, audit=trail):
        raise Conflict("It gives numbers away.", code="release-unsafe")

    assert told(database) == [("release.refused", "release", "refused", "release-unsafe")]
