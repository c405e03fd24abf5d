"""Errors, settings and the log: complete lists, next steps, and no values."""

import datetime as dt
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from hub import errors
from hub.app import check_declared
from hub.audit.events import EventType
from hub.db import Database, Turns, UtcDateTime
from hub.errors import Fault, HubError, SettingError
from hub.http import declare, problem
from hub.log import Log
from hub.settings import Settings


def tree(root):
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]


def test_every_error_is_drawn_in_the_tree_with_its_status_code_and_next_step():
    drawn = dict(re.findall(r"(\w+) +(\d{3})  ", errors.__doc__))
    ours = [found for found in tree(HubError) if found.__module__ == "hub.errors"]

    assert {found.__name__: str(found.status) for found in ours} == drawn
    assert len({found.code for found in ours}) == len(ours)
    assert all(found.next_step.endswith(".") for found in ours)


def test_a_problem_tells_code_places_and_next_step():
    answer = problem(errors.Invalid("It is wrong.", code="SUB-001", faults=[Fault("epoch", "SUB-001", "a rule")]))

    assert answer.media_type == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": "/help/errors/SUB-001", "code": "SUB-001", "title": "What was sent does not keep the form",
        "status": 422, "detail": "It is wrong.",
        "next_step": "Correct the places that are named and send it again.",
        "errors": [{"at": "epoch", "code": "SUB-001", "rule": "a rule"}],
    }  # fmt: skip


def test_every_setting_has_a_help_text_and_can_come_by_the_environment(tmp_path, monkeypatch):
    settings = Settings(home=tmp_path, port=1)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    assert all(field.description for field in Settings.model_fields.values())
    assert Settings() == settings


def test_an_address_and_a_database_are_found_without_being_given(tmp_path):
    settings = Settings(home=tmp_path)

    assert settings.own_url() == "http://127.0.0.1:8400"
    assert settings.resolved_database_url() == f"sqlite:///{tmp_path}/hub.db"


def test_events_have_one_word_each_and_there_are_at_least_forty():
    words = [event.value for event in EventType]

    assert len(words) == len(set(words)) >= 40
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", word) and len(word) <= 40 for word in words)


def test_the_log_writes_one_line_of_listed_fields():
    stream = io.StringIO()
    Log(stream, clock=lambda: dt.datetime(2026, 11, 22, tzinfo=dt.UTC)).write("job.failed", role="matcher", count=2)

    assert json.loads(stream.getvalue()) == {
        "time": "2026-11-22T00:00:00.000+00:00", "event": "job.failed", "role": "matcher", "count": 2,
    }  # fmt: skip


def test_the_log_refuses_a_field_that_is_not_on_the_list():
    with pytest.raises(KeyError):
        Log(io.StringIO()).write("x", surname="Qorvax")


def test_an_error_is_logged_by_its_class_and_places_without_its_text():
    stream = io.StringIO()
    try:
        raise ValueError("Qorvax")
    except ValueError as error:
        Log(stream).write("x", error=error)

    assert "Qorvax" not in stream.getvalue()
    assert json.loads(stream.getvalue())["error"]["class"] == "ValueError"


def test_a_time_without_a_zone_is_refused_by_the_database():
    kind = UtcDateTime()

    with pytest.raises(ValueError, match="zone"):
        kind.process_bind_param(dt.datetime(2026, 1, 1), None)  # noqa: DTZ001
    assert kind.process_bind_param(None, None) is None
    assert kind.process_result_value(None, None) is None


def test_values_are_not_repeated_by_a_database_error(tmp_path):
    from sqlalchemy import text
    from sqlalchemy.exc import OperationalError

    database = Database(f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(OperationalError) as refused, database.transaction() as session:
        session.execute(text("SELECT :name FROM nowhere"), {"name": "Qorvax"})

    assert "Qorvax" not in str(refused.value)
    database.close()


def test_a_route_without_an_action_stops_the_start():
    from fastapi import APIRouter

    router = APIRouter()
    router.get("/silent")(lambda: None)

    with pytest.raises(SettingError, match="/silent"):
        check_declared([router])


def test_an_action_outside_the_role_table_cannot_be_declared():
    with pytest.raises(KeyError):
        declare("everything.do", "all")


def test_writers_of_all_threads_take_turns_and_none_is_lost(tmp_path):
    one, other = (Database(f"sqlite:///{tmp_path}/hub.db") for _ in range(2))
    with one.transaction() as session:
        session.execute(text("create table counts (n integer)"))
        session.execute(text("insert into counts values (0)"))

    def count(database):
        with database.transaction() as session:
            found = session.execute(text("select n from counts")).scalar_one()
            session.execute(text("update counts set n = :n"), {"n": found + 1})

    with ThreadPoolExecutor(6) as writers:
        list(writers.map(count, [one, other] * 20))

    with one.reading() as session:
        assert session.execute(text("select n from counts")).scalar_one() == 40
    one.close()
    other.close()


def test_a_turn_that_does_not_come_is_told(tmp_path):
    one, other = (Turns(f"{tmp_path}/turn", wait_seconds=0.05) for _ in range(2))

    with one.take():
        for turns in (one, other):
            with pytest.raises(errors.Unavailable, match="in time"), turns.take():
                pass
    with other.take():
        pass
