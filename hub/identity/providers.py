"""The identity providers that a county lets its people sign in with: the operator's file that names them.

```yaml
providers:
  - id: novato
    name: Novato Unified
    issuer: https://login.example/tenant/v2.0
    client_id: promise-hub
    client_secret_file: /etc/promise-hub/novato.secret
    second_factor: {claim: acr, values: [mfa]}
```
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from hub.errors import SettingError
from policies.yaml_text import read_yaml

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class SecondFactor(BaseModel):
    """How the provider says that it saw a second factor: one of these values in this claim of its ID token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: Literal["acr", "acrs", "amr"]
    values: tuple[str, ...] = Field(min_length=1)


class Provider(BaseModel):
    """One provider. `second_factor: enforced` is the operator's word that it lets nobody in without one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: str = Field(min_length=1, max_length=60)
    issuer: str
    client_id: str = Field(min_length=1, max_length=200)
    client_secret_file: Path
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    subject_claim: Literal["sub", "oid"] = "sub"
    second_factor: SecondFactor | Literal["enforced"]

    @field_validator("issuer")
    @classmethod
    def _safe(cls, issuer: str) -> str:
        check_address(issuer)
        return issuer

    def client_secret(self) -> str:
        """The secret of its file, which its owner alone may read."""
        path = self.client_secret_file
        if not path.is_file() or path.stat().st_mode & 0o077:
            raise SettingError(
                f"The client secret of the provider {self.id} is missing or can be read by others.",
                code="provider-secret",
                next_step="Write it into the file that is named, of mode 0600.",
            )
        return path.read_text("utf-8").strip()


def check_address(address: str) -> None:
    """Raises ValueError for an address of a provider that is not HTTPS; plain HTTP is for loopback."""
    parts = urlsplit(address)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ValueError("an address of a provider is HTTPS")


def read_providers(file: str) -> Mapping[str, Provider]:
    """The providers of the operator's file, by id; none without a file. Raises SettingError naming the place."""
    if not file:
        return {}
    try:
        told = read_yaml(Path(file).read_text("utf-8"))
        found = [Provider.model_validate(one) for one in told["providers"]]
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in fault["loc"]) for fault in error.errors()})
        raise _wrong(f"A provider has a wrong field: {', '.join(places)}.") from None
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise _wrong("The file of sign-in providers cannot be read.") from None
    if len({one.id for one in found}) != len(found):
        raise _wrong("Two providers have one id.")
    return {one.id: one for one in found}


def _wrong(what: str) -> SettingError:
    return SettingError(what, code="providers-wrong", next_step="Mend the file as docs/people.md shows it.")
