"""From a draft to an agreement in force and out of it: signatures, two persons, withdrawal by one's own key."""

import datetime as dt
import json
import shutil
from importlib import resources

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from hub.agreements.activation import activate, ended, register_keys, take_signature, withdraw
from hub.agreements.service import known_agreements, load_agreement
from hub.audit.service import open_log
from hub.audit.tables import Detail
from hub.cli import app
from hub.db import Database
from hub.errors import Conflict, Invalid, NotFound, Refused
from hub.identity.service import load_organisations
from hub.identity.two_persons import list_acts
from hub.operations import acts
from hub.operations.installation import organisations
from hub.operations.made_up import activate_all
from policies.agreement_signatures import sign_word, signing, withdrawing
from policies.agreements import read_agreement
from policies.party_keys import party_key
from policies.principal import Principal, Role
from tests.databases import address_of

pytestmark = pytest.mark.access
FOLDER = resources.files("policies").joinpath("agreements")
HUB = "promise-partnership"
ADMINISTRATOR = Principal("person:administrator", frozenset({Role.ADMINISTRATOR}), HUB)
OFFICER = Principal("person:officer", frozenset({Role.COMPLIANCE}), HUB)
SIGNATORY = Principal("person:signatory", frozenset({Role.SIGNATORY}), "community-action-marin")
PRESCHOOLS = ("community-action-marin", "north-bay-childrens-center")


def text(name):
    return FOLDER.joinpath(f"{name}.yaml").read_text("utf-8")


PRESCHOOL = read_agreement(text("dsa-preschool"))
OTHER_TEXT = read_agreement(text("dsa-preschool").replace("Parents", "They"))


def key_of(organisation):
    return Ed25519PrivateKey.from_private_bytes(organisation.encode().ljust(32, b"."))


def word(agreement, organisation, *, now, key=None):
    said = signing(agreement, organisation, now=now)
    return sign_word(said, key or key_of(organisation)).model_dump(mode="json")


def leaving(agreement, organisation, *, now):
    return sign_word(withdrawing(agreement, organisation, now=now), key_of(organisation)).model_dump(mode="json")


class Partnership:
    """A hub with organisations and their keys, in which agreements are loaded and signed."""

    def __init__(self, database, trail, clock):
        self.database, self.trail, self.clock = database, trail, clock
        with database.transaction() as session:
            load_organisations(session, organisations())
            keys = {name: party_key(name, key_of(name)) for name, _ in organisations()}
            register_keys(session, keys, audit=trail)

    def within(self, act):
        with self.database.transaction() as session:
            return act(session)

    def draft(self, name, *, signed_by=None, old="", new=""):
        content = text(name).replace(old, new) if old else text(name)
        agreement = read_agreement(content)
        parties = [one.organisation for one in agreement.parties if one.role != "hub"]

        def act(session):
            load_agreement(session, content, audit=self.trail)
            for organisation in parties if signed_by is None else signed_by:
                take_signature(session, word(agreement, organisation, now=self.clock()), audit=self.trail)

        self.within(act)
        return agreement

    def ask(self, agreement, principal=ADMINISTRATOR):
        told = {"agreement": agreement.id, "version": str(agreement.version)}
        return self.within(lambda s: acts.ask(
            s, "agreement.activate", told, why="It begins.", principal=principal, audit=self.trail))  # fmt: skip

    def approve(self, number, principal):
        def act(session):
            seen = next(one for one in list_acts(session, principal=principal, audit=self.trail) if one.id == number)
            return acts.approve(session, number, digest=seen.digest, principal=principal, audit=self.trail)

        return self.within(act)

    def holding(self):
        with self.database.reading() as session:
            return [(one.id, one.version) for one in known_agreements(session)]

    def events(self, event):
        with self.database.reading() as session:
            rows = session.query(Detail).filter(Detail.event == event).order_by(Detail.sequence)
            return [(row.agreement, row.resource, dict(row.versions)) for row in rows]


@pytest.fixture
def partnership(migrated_sqlite, tmp_path, trail, clock):
    shutil.copy(migrated_sqlite, tmp_path / "hub.db")
    opened = Database(address_of(tmp_path))
    with opened.transaction() as session:
        open_log(session)
    yield Partnership(opened, trail, clock)
    opened.close()


@pytest.fixture
def on_both(database, trail, clock):
    return within_mou(Partnership(database, trail, clock))


@pytest.fixture
def with_mou(partnership):
    return within_mou(partnership)


def within_mou(partnership):
    """The partnership with its memorandum in force."""
    partnership.draft("mou")
    partnership.within(lambda session: activate_all(session, audit=partnership.trail))
    return partnership


def test_an_agreement_holds_once_its_parties_have_signed_and_two_persons_approved(on_both):
    with_mou = on_both
    agreement = with_mou.draft("dsa-preschool")
    assert with_mou.holding() == [("MOU-1", 1)]

    number = with_mou.ask(agreement)
    with_mou.approve(number, OFFICER)
    assert with_mou.holding() == [("MOU-1", 1)]
    with_mou.approve(number, SIGNATORY)

    assert with_mou.holding() == [("DSA-PRE", 1), ("MOU-1", 1)]
    assert with_mou.events("agreement.activated")[-1] == (
        "DSA-PRE", "agreement:DSA-PRE", {"DSA-PRE": "1", "text": agreement.text_hash()},
    )  # fmt: skip
    signed = [one for one in with_mou.events("agreement.signed") if one[0] == "DSA-PRE"]
    assert [one[1] for one in signed] == [f"organisation:{name}" for name in PRESCHOOLS]


def test_activation_cannot_be_asked_while_a_party_has_not_signed(with_mou):
    agreement = with_mou.draft("dsa-preschool", signed_by=PRESCHOOLS[:1])

    with pytest.raises(Invalid) as refused:
        with_mou.ask(agreement)

    assert (refused.value.code, refused.value.faults[0].at) == ("AGR-003", f"parties.{PRESCHOOLS[1]}")


def test_activation_waits_for_the_agreement_above(partnership):
    agreement = partnership.draft("dsa-preschool")

    with pytest.raises(Invalid) as refused:
        partnership.ask(agreement)

    assert (refused.value.code, refused.value.faults[0].at) == ("AGR-009", "parent")


def test_who_asked_may_not_approve_and_a_stale_act_does_nothing(with_mou):
    agreement = with_mou.draft("dsa-preschool")
    number = with_mou.ask(agreement)
    for principal in (ADMINISTRATOR, Principal(ADMINISTRATOR.actor, frozenset({Role.COMPLIANCE}), HUB)):
        with pytest.raises(Refused):
            with_mou.approve(number, principal)

    with_mou.approve(number, OFFICER)
    with_mou.clock.advance(hours=73)
    with pytest.raises(Refused) as stale:
        with_mou.approve(number, SIGNATORY)

    assert stale.value.code == "ACT-005"
    assert with_mou.holding() == [("MOU-1", 1)]


def test_activated_is_activated_once(with_mou):
    with_mou.draft("dsa-preschool")
    with_mou.within(lambda session: activate_all(session, audit=with_mou.trail))

    with pytest.raises(Conflict) as refused:
        with_mou.within(lambda session: activate(session, "DSA-PRE", 1, audit=with_mou.trail))

    assert refused.value.code == "agreement-active"
    with pytest.raises(NotFound):
        with_mou.within(lambda session: activate(session, "DSA-NONE", 1, audit=with_mou.trail))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda told, now: {**told, "signature": "A" * 86 + "=="}, "AGR-012"),
        (lambda told, now: word(PRESCHOOL, PRESCHOOLS[0], now=now, key=key_of("x")), "AGR-012"),
        (lambda told, now: word(OTHER_TEXT, PRESCHOOLS[0], now=now), "AGR-014"),
        (lambda told, now: leaving("DSA-PRE", PRESCHOOLS[0], now=now), "AGR-013"),
        (lambda told, now: {}, "AGR-011"),
    ],
)  # fmt: skip
def test_a_signature_that_does_not_hold_is_refused(with_mou, change, code):
    agreement = with_mou.draft("dsa-preschool", signed_by=())
    told = word(agreement, PRESCHOOLS[0], now=with_mou.clock())

    with pytest.raises(Invalid) as refused:
        with_mou.within(lambda session: take_signature(session, change(told, with_mou.clock()), audit=with_mou.trail))

    assert refused.value.code == code
    assert [one for one in with_mou.events("agreement.signed") if one[0] == "DSA-PRE"] == []


def test_a_party_withdraws_by_its_own_key_alone_and_the_others_go_on(with_mou):
    with_mou.draft("dsa-preschool")
    with_mou.within(lambda session: activate_all(session, audit=with_mou.trail))

    for _ in range(2):
        with_mou.within(lambda session: withdraw(
            session, leaving("DSA-PRE", PRESCHOOLS[0], now=with_mou.clock()), audit=with_mou.trail))  # fmt: skip

    with with_mou.database.reading() as session:
        (left,) = [one for one in known_agreements(session) if one.id == "DSA-PRE"]
        (over,) = ended(session, day=with_mou.clock().date())
    assert left.contributors() == {PRESCHOOLS[1]}
    assert (over.agreement, over.organisations, over.why) == ("DSA-PRE", PRESCHOOLS[:1], "withdrawn")
    assert over.destroy_by == dt.date(2026, 11, 22) + dt.timedelta(90)
    assert with_mou.events("agreement.withdrawn") == [("DSA-PRE", f"organisation:{PRESCHOOLS[0]}", {"DSA-PRE": "all"})]


def test_nobody_withdraws_from_what_it_is_no_party_of_or_by_another_s_key(with_mou):
    with_mou.draft("dsa-preschool")
    now = with_mou.clock()
    forged = sign_word(withdrawing("DSA-PRE", PRESCHOOLS[0], now=now), key_of("reed")).model_dump(mode="json")

    with pytest.raises(NotFound):
        with_mou.within(lambda s: withdraw(s, leaving("DSA-PRE", "reed", now=now), audit=with_mou.trail))
    with pytest.raises(NotFound):
        with_mou.within(lambda s: withdraw(s, leaving("DSA-NONE", "reed", now=now), audit=with_mou.trail))
    with pytest.raises(Invalid) as refused:
        with_mou.within(lambda s: withdraw(s, forged, audit=with_mou.trail))
    assert refused.value.code == "AGR-012"


def test_an_amendment_brings_back_who_withdrew_and_signs_again(with_mou):
    with_mou.draft("dsa-preschool")
    with_mou.within(lambda session: activate_all(session, audit=with_mou.trail))
    with_mou.within(
        lambda s: withdraw(s, leaving("DSA-PRE", PRESCHOOLS[0], now=with_mou.clock()), audit=with_mou.trail)
    )

    with_mou.draft("dsa-preschool", old="version: 1", new="version: 2")
    with_mou.within(lambda session: activate_all(session, audit=with_mou.trail))

    with with_mou.database.reading() as session:
        found = {one.version: one.contributors() for one in known_agreements(session) if one.id == "DSA-PRE"}
    assert found == {1: {PRESCHOOLS[1]}, 2: set(PRESCHOOLS)}


def test_what_has_expired_is_to_be_destroyed_by_its_day(with_mou):
    with_mou.draft("dsa-preschool")
    with_mou.within(lambda session: activate_all(session, audit=with_mou.trail))

    with with_mou.database.reading() as session:
        assert ended(session, day=dt.date(2039, 6, 30)) == []
        (over,) = ended(session, day=dt.date(2039, 7, 1))
    assert (over.organisations, over.why, over.destroy_by) == (PRESCHOOLS, "expired", dt.date(2039, 9, 28))


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"nobody": party_key("nobody", key_of("nobody"))}, "party-key"),
        ([], "party-key"),
        ({"novato": "x"}, "AGR-015"),
        ({"novato": {"key": "AAAA", "proof": "AAAA"}}, "AGR-015"),
        ({"novato": {"key": 1, "proof": "AAAA"}}, "AGR-015"),
        (
            {"novato": {**party_key("novato", key_of("x")), "proof": party_key("novato", key_of("y"))["proof"]}},
            "AGR-015",
        ),
        ({"novato": party_key("reed", key_of("reed"))}, "AGR-015"),
    ],
)
def test_a_key_of_nobody_or_without_proof_that_its_holder_gave_it_is_refused(partnership, keys, code):
    with pytest.raises(Invalid) as refused:
        partnership.within(lambda session: register_keys(session, keys, audit=partnership.trail))

    assert refused.value.code == code


def test_another_key_takes_the_place_of_the_old_one_and_old_signatures_fall(with_mou):
    agreement = with_mou.draft("dsa-preschool")
    other = party_key(PRESCHOOLS[0], key_of("another"))
    with_mou.within(lambda session: register_keys(session, {PRESCHOOLS[0]: other}, audit=with_mou.trail))

    with pytest.raises(Invalid) as refused:
        with_mou.ask(agreement)

    assert refused.value.code == "AGR-003"
    assert with_mou.events("party_key.registered")[-1][1] == f"organisation:{PRESCHOOLS[0]}"


def test_the_commands_go_from_the_draft_to_the_act_and_tell_what_holds(home, tmp_path):
    def run(*words):
        done = CliRunner().invoke(app, ["agreements", *words, "--home", str(home)])
        return done.exit_code, done.output

    def write(name, value):
        (tmp_path / name).write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
        return str(tmp_path / name)

    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    agreement = read_agreement(text("mou").replace("  - {organisation: wage-authority", "  - {organisation: novato"))
    parties = {one.organisation for one in agreement.parties if one.role != "hub"}
    keys = {name: party_key(name, key_of(name)) for name in parties}
    words = [word(agreement, name, now=now) for name in sorted(parties)]
    file = write("mou.yaml", text("mou").replace("  - {organisation: wage-authority", "  - {organisation: novato"))

    assert run("load", file, "--keys", write("keys.json", keys))[0] == 0
    refused = run("activate", "MOU-1", "1", "--why", "It begins.")
    assert (refused[0], "AGR-003" in refused[1]) == (1, True)
    for number, one in enumerate(words):
        assert run("sign", write(f"{number}.json", one))[0] == 0
    assert run("keys", write("keys.json", keys)) == (0, "0 keys are new.\n")
    asked = run("activate", "MOU-1", "1", "--why", "It begins.")
    assert (asked[0], asked[1].startswith("Act 1 is asked. Next: it is approved within 72 hours")) == (0, True)
    assert run("status") == (0, "")
    done = CliRunner().invoke(app, ["operations", "agree-made-up", "--home", str(home)])
    assert done.exit_code == 1
    left = run("withdraw", write("leave.json", leaving("MOU-1", "reed", now=now)))
    assert (left[0], left[1].startswith("reed has withdrawn from MOU-1.")) == (0, True)
    assert run("sign", write("none.json", "no"))[0] == 1


def test_a_refused_activation_leaves_its_event_with_the_clause(home, tmp_path):
    from hub.console import console

    file = tmp_path / "pre.yaml"
    file.write_text(text("dsa-preschool"), "utf-8")
    options = ["--home", str(home)]
    CliRunner().invoke(app, ["agreements", "load", str(file), *options])
    CliRunner().invoke(app, ["agreements", "activate", "DSA-PRE", "1", "--why", "It begins.", *options])

    with console(home, "test") as opened, opened.database.reading() as session:
        (event,) = session.query(Detail).filter(Detail.event == "agreement.refused")
        assert (event.agreement, event.rule, event.versions) == (
            "DSA-PRE", "AGR-003", {"fault 0": f"parties.{PRESCHOOLS[0]}"},
        )  # fmt: skip
