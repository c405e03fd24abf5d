"""Who must have cosigned a checkpoint before it counts (C2SP tlog-policy): the log's key and a quorum of witnesses.

The partnership's policy is a majority of the districts that have an agent on the roster, so that the hub cannot show
two histories to two halves of them. Where no district has an agent yet, the quorum is none, and the policy says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from policies.translog.checkpoint import CheckpointBody, body_of
from policies.translog.errors import CosignatureError, PolicyError
from policies.translog.note import COSIGNATURE, ED25519, Note, Verifier, read_vkey, signed_by

NONE = "none"


@dataclass(frozen=True)
class Group:
    """So many of these members must have cosigned."""

    quorum: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Known logs and witnesses, groups of them, and the name that must have witnessed."""

    logs: tuple[Verifier, ...]
    witnesses: Mapping[str, Verifier]
    groups: Mapping[str, Group]
    quorum: str

    def witnessed(self, cosigners: frozenset[Verifier]) -> bool:
        """Whether these cosigners are enough."""
        return self.quorum == NONE or self._by(self.quorum, cosigners)

    def written(self) -> str:
        """The policy as a file."""
        lines = [f"log {log.vkey()}" for log in self.logs]
        lines += [f"witness {name} {verifier.vkey()}" for name, verifier in self.witnesses.items()]
        lines += [f"group {name} {group.quorum} {' '.join(group.members)}" for name, group in self.groups.items()]
        return "\n".join([*lines, f"quorum {self.quorum}"]) + "\n"

    def _by(self, name: str, cosigners: frozenset[Verifier]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name] in cosigners
        group = self.groups[name]
        return sum(self._by(member, cosigners) for member in group.members) >= group.quorum


def witness_name(origin: str, organisation: str) -> str:
    """Under which name an organisation's agents cosign a log."""
    return f"{origin}/witness/{organisation}"


def majority_policy(log: Verifier, agents: Mapping[str, Mapping[str, Verifier]]) -> Policy:
    """A majority of the organisations, each by any of its agents: {organisation: {agent: verifier}}."""
    witnesses = {name: verifier for keys in agents.values() for name, verifier in sorted(keys.items())}
    groups = {organisation: Group(1, tuple(sorted(keys))) for organisation, keys in sorted(agents.items()) if keys}
    if not groups:
        return Policy((log,), {}, {}, NONE)
    majority = Group(len(groups) // 2 + 1, tuple(groups))
    return Policy((log,), witnesses, {**groups, "districts": majority}, "districts")


def check_cosigned(note: Note, policy: Policy) -> tuple[CheckpointBody, Mapping[Verifier, int]]:
    """What a checkpoint says once a log of the policy signed it and enough witnesses cosigned; and who did, when.

    Raises NoteError, CheckpointError or CosignatureError COSIGN-003.
    """
    found = signed_by(note, [*policy.logs, *policy.witnesses.values()])
    log = next((one for one in policy.logs if one in found), None)
    if log is None:
        raise CosignatureError("the checkpoint is not signed by a log of the policy", "COSIGN-003")
    cosigners = {verifier: at for verifier, at in found.items() if verifier.kind == COSIGNATURE}
    if not policy.witnessed(frozenset(cosigners)):
        raise CosignatureError("too few witnesses of the policy have cosigned the checkpoint", "COSIGN-003")
    return body_of(note, log), cosigners


def read_policy(text: str) -> Policy:
    """The policy of a file; raises PolicyError or NoteError. Names must be defined before they are used."""
    logs: list[Verifier] = []
    witnesses: dict[str, Verifier] = {}
    groups: dict[str, Group] = {}
    quorum: list[str] = []
    used: set[str] = set()
    for words in (line.split() for line in text.split("\n")):
        known = {*witnesses, *groups}
        match words:
            case []:
                continue
            case [first, *_] if first.startswith("#"):
                continue
            case ["log", vkey] | ["log", vkey, _]:
                logs.append(_of_kind(vkey, ED25519))
            case ["witness", name, vkey] | ["witness", name, vkey, _] if name not in known and name != NONE:
                witnesses[name] = _of_kind(vkey, COSIGNATURE)
            case ["group", name, count, *members] if members and name not in known and name != NONE:
                groups[name] = _group(count, members, known - used)
                used |= set(members)
            case ["quorum", name] if name == NONE or name in known:
                quorum.append(name)
            case _:
                raise PolicyError("a line of the policy cannot be read, or names what is not defined before it")
    keys = [verifier.key.public_bytes_raw() for verifier in (*logs, *witnesses.values())]
    if len(quorum) != 1 or len(set(keys)) != len(keys):
        raise PolicyError("a policy has one quorum, and each key once")
    return Policy(tuple(logs), witnesses, groups, quorum[0])


def _of_kind(vkey: str, kind: bytes) -> Verifier:
    verifier = read_vkey(vkey)
    if verifier.kind != kind:
        raise PolicyError("a key of the policy is of the wrong type for its place")
    return verifier


def _group(count: str, members: Sequence[str], free: set[str]) -> Group:
    number = {"any": "1", "all": str(len(members))}.get(count, count)
    if len(set(members)) != len(members) or not set(members) <= free:
        raise PolicyError("a member of a group is not defined before it, or stands in a group already")
    if not (number.isascii() and number.isdigit()) or not 1 <= int(number) <= len(members):
        raise PolicyError("a group's number is not one of its members' count")
    return Group(int(number), tuple(members))
