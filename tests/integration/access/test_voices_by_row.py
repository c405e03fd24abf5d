"""PostgreSQL shows a voice that does not stand yet to its own organisation and to reviewers, whatever a query asks."""

import uuid

from sqlalchemy import text

from hub.db import Database
from hub.http import scope_of
from policies.principal import ANONYMOUS, Principal, Role
from tests.conftest import NOW
from tests.databases import SUPERUSER, make_database, on_server

ASKERS = {
    "public": (ANONYMOUS, ["shown"]),
    "its own analyst": (
        Principal("person:p", frozenset({Role.PARTNER}), "canal-alliance"),
        ["shown", "waiting"],
    ),
    "another analyst": (Principal("person:q", frozenset({Role.PARTNER}), "reed"), ["shown"]),
    "a steward": (Principal("person:s", frozenset({Role.STEWARD}), "novato"), ["shown", "waiting"]),
    "an administrator": (Principal("person:a", frozenset({Role.ADMINISTRATOR}), "promise-partnership"), ["shown"]),
}


def test_a_voice_that_waits_is_hidden_by_the_database_itself(postgresql):
    name = f"hub_{uuid.uuid4().hex[:12]}"
    make_database(postgresql, name=name)
    postgresql.psql(f"CREATE ROLE {name};")
    url = on_server(postgresql, name, SUPERUSER)
    database = Database(url)
    columns = "indicator, speaker, english, spanish, actor, organisation, written_at, state, reason"
    with database.transaction() as session:
        session.execute(text(f"GRANT SELECT ON voices TO {name}"))
        for state in ("shown", "waiting"):
            values = "'third-grade-reading', 'family', 'x', '', 'person:p', 'canal-alliance', :now, :state, ''"
            session.execute(text(f"INSERT INTO voices ({columns}) VALUES ({values})"), {"now": NOW, "state": state})

    seen = {}
    for who, (principal, _) in ASKERS.items():
        with database.reading(scope=scope_of(principal)) as session:
            session.execute(text(f"SET LOCAL ROLE {name}"))
            seen[who] = list(session.scalars(text("SELECT state FROM voices ORDER BY state")))
    database.close()

    assert seen == {who: states for who, (_, states) in ASKERS.items()}
