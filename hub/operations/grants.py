"""Who may do what to which table on PostgreSQL: one login a role, with the least that its work needs.

`migration` owns the tables and nothing else connects as it but `migrate`, `restore`, `backup` of another login and
`operations destroy`. No login but the owner can change or delete what the log holds. Letters: S select, I insert,
U update, D delete. Row-level security (revision 0015) stands beside this: it says which rows, this says which tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.engine import Connection

from hub.db import LIMITS, Limits
from hub.settings import MIGRATION, OPERATOR

PREFIX = "promise_"
WORDS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}
REVISIONS = "alembic_version"

APPENDS = {"audit_entries": "I", "audit_details": "I", "audit_nodes": "I", "audit_head": "SU"}
"""What adding an event needs: everybody adds, and reads back only the head."""
READS_LOG = {"audit_entries": "SI", "audit_details": "SI", "audit_nodes": "SI", "audit_checkpoints": "S"}
NEVER_CHANGED = ("audit_entries", "audit_details", "audit_nodes", "audit_checkpoints", "audit_cosignatures")
"""What a login that is not the owner can add to and never change."""

GRANTS: Mapping[str, Mapping[str, str]] = {
    "matcher": APPENDS
    | {
        "agreement_versions": "S",
        "agreement_withdrawals": "S",
        "jobs": "SIU",
        "linkage_runs": "SU",
        "message_addresses": "S",
        "submission_chunks": "SU",
        "submissions": "SU",
    },
    "resolver": APPENDS
    | READS_LOG
    | {
        "act_approvals": "S",
        "acts": "SIU",
        "agents": "S",
        "agreement_salts": "SIU",
        "agreement_versions": "S",
        "agreement_withdrawals": "S",
        "audit_cosignatures": "S",
        "destructions": "S",
        "epochs": "S",
        "jobs": "SIUD",
        "kept_protections": "SIUD",
        "linkage_current": "SIU",
        "linkage_history": "SI",
        "linkage_runs": "SIU",
        "links": "SI",
        "message_addresses": "S",
        "opt_outs": "SU",
        "organisations": "S",
        "passkey_challenges": "SD",
        "release_blocks": "SID",
        "release_evidence": "SI",
        "released_blocks": "SID",
        "released_cells": "SID",
        "releases": "SIU",
        "request_nonces": "SD",
        "review_items": "SIU",
        "sessions": "SD",
        "sign_in_attempts": "SD",
        "sign_in_links": "SD",
        "snapshots": "SIU",
        "state_figures": "S",
        "state_files": "S",
        "submission_chunks": "SU",
        "submission_statements": "S",
        "submissions": "SU",
        "table_request_comments": "S",
        "table_requests": "SU",
        "threshold_links": "SID",
        "witness_rounds": "SI",
    },
    "signer": APPENDS | READS_LOG | {"audit_checkpoints": "SI"},
    "messenger": APPENDS
    | {"audit_details": "SI", "jobs": "SIU", "message_addresses": "S", "organisations": "S", "submissions": "S"},
}
"""By worker its tables; the API and the operator have every table, less what `_but` takes away."""

API_READS = ("epochs", "state_files", "state_figures")
API_NEVER = (REVISIONS,)


def grants_of(role: str, tables: Sequence[str]) -> dict[str, str]:
    """What a role may do, by table; a table that is not named is closed to it."""
    if role in GRANTS:
        return dict(GRANTS[role])
    return {table: granted for table in tables if (granted := _of_everything(role, table))}


def _of_everything(role: str, table: str) -> str:
    if role == "api" and table in API_NEVER:
        return ""
    if table in NEVER_CHANGED:
        return "SI"
    if table in (REVISIONS, "audit_head"):
        return "SU" if table == "audit_head" else "S"
    return "S" if role == "api" and table in API_READS else "SIUD"


ROLES = ("api", "matcher", "resolver", "signer", "messenger", OPERATOR)


def login_statements() -> Iterator[str]:
    """What the owner of the server runs once, in `psql`; passwords are asked for there and stand nowhere."""
    for role in (MIGRATION, *ROLES):
        limits = LIMITS.get(role, Limits())
        yield (
            f"CREATE ROLE {PREFIX}{role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE "
            f"CONNECTION LIMIT {2 * (limits.kept + limits.peak)};"
        )
        yield f"\\password {PREFIX}{role}"
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
    yield f"GRANT USAGE, CREATE ON SCHEMA public TO {PREFIX}{MIGRATION};"


def set_grants(connection: Connection, *, prefix: str = PREFIX) -> Sequence[str]:
    """Give each login that is there exactly what is declared; the roles that have one come back. By the owner alone."""
    if connection.dialect.name != "postgresql":
        return []
    there = {name for (name,) in connection.execute(text("SELECT rolname FROM pg_roles"))}
    roles = [role for role in ROLES if f"{prefix}{role}" in there]
    tables = _tables(connection)
    for role in roles:
        for statement in _statements(role, tables, prefix=prefix):
            connection.exec_driver_sql(statement)
    return roles


def differences(connection: Connection, *, prefix: str = PREFIX) -> Sequence[str]:
    """Where a login has more or less than is declared: `role table letters-it-has letters-declared`."""
    tables = _tables(connection)
    query = text(
        "SELECT r.rolname, t.tablename, p.word FROM pg_roles r, pg_tables t, "
        "(VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p(word) "
        "WHERE t.schemaname = 'public' AND r.rolname = ANY(:logins) "
        "AND has_table_privilege(r.rolname, 'public.' || quote_ident(t.tablename), p.word)"
    )
    found: dict[tuple[str, str], set[str]] = {}
    for login, table, word in connection.execute(query, {"logins": [f"{prefix}{role}" for role in ROLES]}):
        found.setdefault((login, table), set()).add(word[0])
    told = []
    for role in ROLES:
        declared = grants_of(role, tables)
        for table in tables:
            has = "".join(letter for letter in WORDS if letter in found.get((f"{prefix}{role}", table), set()))
            if has != declared.get(table, ""):
                told.append(f"{role} {table} {has or '-'} {declared.get(table, '') or '-'}")
    return told


def _tables(connection: Connection) -> list[str]:
    query = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return list(connection.execute(query).scalars())


def _statements(role: str, tables: Sequence[str], *, prefix: str) -> Iterator[str]:
    login = f'"{prefix}{role}"'
    yield f"GRANT USAGE ON SCHEMA public TO {login}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {login}"
    for table, letters in grants_of(role, tables).items():
        if table in tables:
            yield f'GRANT {", ".join(WORDS[letter] for letter in letters)} ON "{table}" TO {login}'
    # Numbers of rows: a sequence tells nothing, and a login that may not insert cannot use one.
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {login}"
