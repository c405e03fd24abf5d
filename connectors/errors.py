"""The edge's own errors, small enough to draw here. None of them ever holds a value of a record.

EdgeError                   code, sentence, next step; exit code of the command line
├── FileRefusedError        a source file that is not read: nothing of it is used              exit 1
├── MappingError            sources.yaml that cannot be followed                               exit 2
├── WorkspaceError          a workspace, key or settings file that is missing or unfit         exit 2
├── AgreementRefusedError   no active agreement lets this submission leave                     exit 1
├── PushRefusedError        the hub refused it, or its answer is not one of the hub's          exit 1
├── FetchRefusedError       a source system that refuses this client or is no such system      exit 1
├── StoreUnreachableError   a source system that does not answer: nothing was changed          exit 3
├── LogError                a receipt, checkpoint or history of the hub's log does not hold    exit 1
└── HubUnreachableError     no answer: nothing is known, try again                             exit 3
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.findings import Findings


class EdgeError(Exception):
    """Something the steward must know: a stable code, what is wrong, and what to do next."""

    exit_code = 1

    def __init__(self, code: str, sentence: str, next_step: str) -> None:
        super().__init__(f"{code}: {sentence} {next_step}")
        self.code = code
        self.sentence = sentence
        self.next_step = next_step

    def __reduce__(self) -> tuple[type[EdgeError], tuple[str, str, str]]:
        return type(self), (self.code, self.sentence, self.next_step)


class FileRefusedError(EdgeError):
    """A source file that is not used at all; the code is a rule of `policies/rules`.

    Where the rows were looked at, `findings` and `rows` say what was found in how many of them.
    """

    findings: Findings | None = None
    rows: int = 0


class MappingError(EdgeError):
    """A sources.yaml that cannot be followed."""

    exit_code = 2


class WorkspaceError(EdgeError):
    """A workspace, key or settings file that is missing or unfit."""

    exit_code = 2


class AgreementRefusedError(EdgeError):
    """No active agreement lets this submission leave."""


class PushRefusedError(EdgeError):
    """The hub refused the submission, or answered what a hub does not answer."""


class LogError(EdgeError):
    """A receipt that does not hold, or a log that was rewritten; what shows it lies in a file."""


class HubUnreachableError(EdgeError):
    """The hub did not answer in time; the same command may be given again."""

    exit_code = 3


class FetchRefusedError(EdgeError):
    """A source system that refuses this client, or is not the system that it was taken for."""


class StoreUnreachableError(EdgeError):
    """A source system did not answer; the same command may be given again."""

    exit_code = 3
