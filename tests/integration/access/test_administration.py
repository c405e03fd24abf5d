"""The page of administration: what waits at its top, what two persons agree on, nothing that counts children."""

import datetime as dt
import re

import pytest
from typer.testing import CliRunner

from hub.audit.tables import Detail
from hub.cli import app
from hub.identity.tables import Person
from hub.jobs import FAILED, Job, enqueue
from hub.log import Log
from hub.operations import acts, machine, roles, unfinished
from hub.operations.overview import fingerprint
from hub.web.acts import FIELD_WORDS
from hub.web.administration import OF_PERSON, PARTS
from policies.principal import Role
from tests.databases import SETTING
from tests.integration.access.conftest import HUB, NOVATO
from tests.integration.access.test_two_person_queue import approved, asked

pytestmark = pytest.mark.access


@pytest.fixture(scope="module")
def office(crowd):
    """A hub with an administrator, an officer, a steward and an agent that has sent something."""
    people = crowd
    people.edge = people.hub.enrol(NOVATO)
    people.edge.deliver(range(12))
    for role, organisation in ((Role.ADMINISTRATOR, HUB), (Role.COMPLIANCE, HUB), (Role.STEWARD, NOVATO)):
        people.cookie(role, organisation)
    return people


def told(people, role=Role.ADMINISTRATOR):
    return people.ask("GET", "/v1/administration", people.cookie(role)).json()


def shown(people, role=Role.ADMINISTRATOR):
    answer = people.ask("GET", "/administration", people.cookie(role), headers={"accept": "text/html"})
    assert answer.status_code == 200
    return answer.text


OF_THIS_MACHINE = ("Not as the program expects: libraries", "The disk is nearly full")
"""What stands at the top because of where the tests run: other libraries than the lock file names, a full disk."""


def to_do(page):
    """The words of the list at the top, but for those of the machine."""
    box = re.search(r'aria-labelledby="to-do">(.*?)</section>', page, re.DOTALL)
    found = [] if box is None else re.findall(r"<li><a href=\"[^\"]*\">(.*?)</a>", box[1])
    return [words for words in found if words not in OF_THIS_MACHINE]


def test_it_tells_people_agents_and_versions_and_reading_it_is_an_event(office):
    steward = office.principal(Role.STEWARD, NOVATO)
    found = told(office)

    (line,) = [one for one in found["people"] if f"person:{one['id']}" == steward.actor]
    (agent,) = found["agents"]
    assert line == {
        "id": steward.actor.removeprefix("person:"), "organisation": NOVATO, "roles": ["steward"], "here": True,
        "state": "may come in", "last_signed_in": "2026-11-22", "signed_in_now": True, "tokens": 0,
    }  # fmt: skip
    assert (agent["state"], agent["last_seen"], agent["fingerprint"]) == (
        "runs", "2026-11-22T13:00:00+00:00", fingerprint(office.edge.public_key),
    )  # fmt: skip
    assert [one["differs"] for one in found["versions"]][2:] == ["", "", ""]
    with office.hub.database.reading() as session:
        last = session.query(Detail).order_by(Detail.sequence.desc()).first()
        assert (last.event, last.resource, last.counts) == ("administration.read", "administration", {})


def test_somebody_new_barred_gone_or_never_here_is_said_to_be_so(office):
    administrator, officer = office.cookie(Role.ADMINISTRATOR), office.cookie(Role.COMPLIANCE)
    number = asked(office, "person.add", {"organisation": NOVATO, "roles": "signatory"}, administrator).json()["act"]
    approved(office, number, officer)
    new = {tuple(one["roles"]): one["state"] for one in told(office)["people"]}
    leaver = office.principal(Role.STEWARD, NOVATO, name="leaver").actor.removeprefix("person:")
    number = asked(office, "person.remove", {"person": leaver}, administrator).json()["act"]
    barred = {one["id"]: one["state"] for one in told(office)["people"]}
    approved(office, number, officer)
    gone = {one["id"]: one["state"] for one in told(office)["people"]}

    assert new["signatory",] == "has not set up an account"
    assert (barred[leaver], gone[leaver]) == ("barred: a removal is asked for", "left")


def test_it_tells_the_same_however_many_children_an_office_sends(office):
    def without_times(found):
        return {name: value for name, value in found.items() if name not in ("people", "agents")}

    office.hub.work()
    empty = without_times(told(office))
    few = office.edge.deliver(range(2), year=2025)
    waiting = without_times(told(office))
    office.hub.work()
    many = office.edge.deliver(range(60), year=2024)

    assert without_times(told(office))["jobs"] == waiting["jobs"] != []
    assert not re.search(f"{few.id[:12]}|{many.id[:12]}", shown(office))
    office.hub.work()
    assert without_times(told(office)) == empty


def test_sizes_come_in_bands_and_the_bytes_stand_nowhere(office):
    office.hub.work()
    stores = {one["name"]: one["size"] for one in told(office)["storage"]["stores"]}

    assert stores == dict.fromkeys(("inbox", "handover", "linkage", "analysis", "database"), "under 1 GB")


def test_a_store_of_another_user_is_not_seen(office, tmp_path):
    class Closed(type(tmp_path)):
        def rglob(self, pattern):
            raise PermissionError

    assert machine._size_of(Closed(tmp_path)) == machine.UNSEEN


def test_two_persons_end_the_sessions_of_a_third_who_may_come_in_again(office):
    steward = office.principal(Role.STEWARD, NOVATO, name="third").actor.removeprefix("person:")
    cookie, page = office.cookie(Role.STEWARD, NOVATO, name="third"), shown(office)
    link = f"/acts?kind=person.sessions&amp;person={steward}"
    form = office.ask("GET", link.replace("&amp;", "&"), office.cookie(Role.ADMINISTRATOR)).text

    number = asked(office, "person.sessions", {"person": steward}, office.cookie(Role.ADMINISTRATOR)).json()["act"]
    still = office.ask("GET", "/v1/submissions", cookie).status_code
    approved(office, number, office.cookie(Role.COMPLIANCE))

    assert link in page
    assert f'name="person" value="{steward}"' in form
    assert (still, office.ask("GET", "/v1/submissions", cookie).status_code) == (200, 401)
    assert office.hub.events()[-4:-1] == ["act.approved", "act.done", "person.sessions_ended"]
    with office.hub.database.reading() as session:
        assert session.get_one(Person, steward).removed_at is None


def test_an_officer_reads_it_and_is_offered_nothing_to_ask(office):
    page = shown(office, Role.COMPLIANCE)

    assert "/acts?kind=person" not in page
    assert "you approve on the page" in page
    assert all(f'id="{name}"' in page for name, _ in PARTS)


def test_what_waits_stands_at_the_top_and_goes_when_it_is_done(office):
    office.hub.work()
    with office.hub.database.transaction() as session:
        enqueue(session, "rows.drop", key="rows.drop:made-up", payload={}, now=office.hub.clock())
        job = session.query(Job).filter(Job.kind == "rows.drop").one()
        job.state, job.attempts, job.error_code, job.finished_at = FAILED, 5, "file-missing", office.hub.clock()
    asked(office, "person.add", {"organisation": NOVATO, "roles": "steward"}, office.cookie(Role.ADMINISTRATOR))
    first, place = to_do(shown(office)), {SETTING: office.hub.settings.database_url}
    again = CliRunner().invoke(app, ["operations", "retry", "--home", str(office.hub.home.path)], env=place)

    assert first == ["Jobs are stuck: one kind", "A backup is due", "Acts that wait for a second person: 1"]
    assert (again.exit_code, again.output.split(".")[0]) == (0, "1 jobs wait again")
    assert office.hub.events()[-1] == "job.retried"
    assert to_do(shown(office)) == first[1:]
    with office.hub.database.reading() as session:
        job = session.query(Job).filter(Job.kind == "rows.drop").one()
        assert (job.state, job.attempts, job.error_code) == ("waiting", 0, None)


def test_an_agent_that_was_silent_for_a_week_is_asked_after(office):
    office.hub.clock.advance(days=8)
    cookie = office.cookie(Role.ADMINISTRATOR, name="later")

    page = office.ask("GET", "/administration", cookie).text
    office.hub.clock.advance(days=-8)

    assert f"Agents are silent: {NOVATO}" in to_do(page)


@pytest.mark.parametrize(
    ("state", "changes", "begins"),
    [
        ("waiting", {}, "Nothing: a worker takes it next"),
        ("waiting", {"due": 60}, "Nothing: it is due at"),
        ("waiting", {"due": 60, "code": "file-missing"}, "It failed and is tried again by itself at"),
        ("waiting", {"due": -60}, "Start promise-hub serve"),
        ("running", {"lease": 5}, "Nothing: it runs"),
        ("running", {"lease": -5}, "Its worker is gone"),
        ("failed", {}, "Mend the cause of the code, then run promise-hub operations retry"),
    ],
)
def test_each_state_of_a_job_says_its_next_step(clock, state, changes, begins):
    due, lease = (clock() + dt.timedelta(minutes=changes.get(name, 0)) for name in ("due", "lease"))
    code = changes.get("code")

    assert unfinished._next_step("rows.check", state, code, due=due, lease=lease, now=clock()).startswith(begins)
    assert unfinished._next_step("nothing.known", "failed", code, due=due, lease=lease, now=clock()) == unfinished.NAMED


def test_it_is_read_on_both_databases(people_on_both):
    people_on_both.hub.enrol(NOVATO)

    found = told(people_on_both)

    assert [(one["key_id"], one["state"]) for one in found["agents"]] == [(f"{NOVATO}:1", "has never asked")]
    assert {one["size"] for one in found["storage"]["stores"]} == {"under 1 GB"}


def test_every_kind_of_job_that_a_worker_takes_has_words_and_a_next_step(crowd):
    people = crowd
    workers = [make(people.hub.settings, log=Log(clock=people.hub.clock)) for make in (roles.matcher, roles.resolver)]
    workers.append(roles.messenger(people.hub.settings, log=Log(clock=people.hub.clock)))
    taken = {kind for one in workers for kind in one.worker.handlers}
    for one in workers:
        one.close()

    assert taken == set(unfinished.WORK)


def test_every_field_of_an_act_has_words_and_every_act_about_somebody_names_a_person():
    assert {name for one in acts.PERFORMERS.values() for name in one.fields} == set(FIELD_WORDS)
    assert all(acts.PERFORMERS[kind].fields[0] == "person" for kind in OF_PERSON)
