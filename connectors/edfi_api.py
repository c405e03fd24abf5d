"""Fetches Ed-Fi resources over HTTP into the inbox: OAuth, paging, change queries, tries again when the store is busy.

Ed-Fi API guidelines (discovery at the root, client credentials, limit and offset, min/maxChangeVersion, deletes). What
is fetched is clear and lies in the district's own inbox, like any other source file; nothing of it is logged.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.bundles.edfi_resources import RESOURCES
from connectors.errors import FetchRefusedError, StoreUnreachableError, WorkspaceError
from connectors.keystore import check_owner_only
from policies.yaml_text import read_yaml

SETTINGS_FILE = "edfi.yaml"
STATE_FILE = ".fetched.json"
STANDARDS = ("4", "5")
"""Versions of the Ed-Fi data standard that are read, by their first number."""
TRIES = 6
ROWS_MAX = 5_000_000
_BUSY = frozenset({429, 500, 502, 503, 504})
_FORBIDDEN = frozenset({403, 404})
_PAUSE_SECONDS_MAX = 60.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_YEAR_IN_ROUTE = "{schoolYearFromRoute}"


class StoreSettings(BaseModel):
    """edfi.yaml: where the store is and as whom to ask; the secret lies in a file of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, Field(pattern="^https?://[^ ]+$", max_length=300)]
    key: Annotated[str, Field(min_length=1, max_length=200)]
    secret_file: Annotated[str, Field(min_length=1, max_length=200)]
    school_year: Annotated[int, Field(ge=2000, le=2100)] | None = None
    page_rows: Annotated[int, Field(ge=1, le=500)] = 500


@dataclass(frozen=True)
class Fetched:
    """How many objects of each resource lie in the inbox now, how many came or went, and which may not be read."""

    kept: Mapping[str, int]
    changed: int
    deleted: int
    forbidden: tuple[str, ...]


@dataclass
class Store:
    """One Ed-Fi store as this client reaches it."""

    client: httpx.Client
    settings: StoreSettings
    secret: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    _token: str = field(default="", repr=False)
    _routes: Mapping[str, str] = field(default_factory=dict)

    def discover(self) -> str:
        """Reads the root of the store; the data standard's version. Raises FetchRefusedError EDF-005."""
        root = self._answer("GET", self.settings.url)
        try:
            routes = {name: str(route).rstrip("/") for name, route in root["urls"].items()}
            version = next(str(model["version"]) for model in root["dataModels"] if model["name"] == "Ed-Fi")
            data, oauth = routes["dataManagementApi"], routes["oauth"]
        except (KeyError, TypeError, AttributeError, StopIteration):
            raise _not_edfi("its root names no data management API") from None
        if not version.startswith(STANDARDS):
            raise _not_edfi("its data standard is none of 4 and 5")
        own = urlsplit(self.settings.url).hostname
        for route in (data, oauth, *([routes["changeQueries"]] if "changeQueries" in routes else [])):
            _check_address(route)
            if urlsplit(route).hostname != own:
                raise _not_edfi("its root sends to another host")
        self._routes = {**routes, "dataManagementApi": self._of_year(data)}
        return version

    def newest_change(self) -> int | None:
        """The newest change version of the store, or None where it keeps none."""
        route = self._routes.get("changeQueries")
        if route is None:
            return None
        versions = self._answer("GET", f"{self._of_year(route)}/availableChangeVersions", signed=True)
        if not isinstance(versions, dict):
            return None
        told = {name.casefold(): version for name, version in versions.items()}
        newest = told.get("newestchangeversion")
        return newest if isinstance(newest, int) else None

    def objects(self, resource: str, window: Mapping[str, int]) -> list[dict[str, Any]] | None:
        """Every object of a resource, page by page; None where this client may not read it."""
        found: list[dict[str, Any]] = []
        for page in self._pages(f"{self._routes['dataManagementApi']}/ed-fi/{resource}", window):
            if page is None:
                return None
            found.extend(page)
        return found

    def deletions(self, resource: str, window: Mapping[str, int]) -> set[str]:
        """The ids of objects that were deleted within the window."""
        gone: set[str] = set()
        for page in self._pages(f"{self._routes['dataManagementApi']}/ed-fi/{resource}/deletes", window):
            gone.update(str(one.get("id", "")).replace("-", "") for one in page or ())
        return gone

    def _pages(self, route: str, window: Mapping[str, int]) -> Iterator[list[dict[str, Any]] | None]:
        for offset in range(0, ROWS_MAX, self.settings.page_rows):
            asked = {"offset": offset, "limit": self.settings.page_rows, **window}
            page = self._answer("GET", route, params=asked, signed=True)
            if page is not None and not (isinstance(page, list) and all(isinstance(one, dict) for one in page)):
                raise _not_edfi("a page is no list of objects")
            yield page
            if page is None or len(page) < self.settings.page_rows:
                return

    def _answer(self, method: str, route: str, *, params: Mapping[str, int] | None = None, signed: bool = False) -> Any:
        """The parsed answer, None where it may not be read; raises FetchRefusedError or StoreUnreachableError."""
        renewed = False
        for attempt in range(TRIES):
            headers = {"Authorization": f"Bearer {self._bearer()}"} if signed else {}
            try:
                response = self.client.request(method, route, params=params, headers=headers)
            except httpx.TransportError:
                self.sleep(_pause(None, attempt))
                continue
            if response.status_code == 401 and signed and not renewed:
                self._token, renewed = "", True
            elif response.status_code in _BUSY:
                self.sleep(_pause(response, attempt))
            elif signed and response.status_code in _FORBIDDEN:
                return None
            else:
                return _parsed(response)
        raise _unreachable()

    def _bearer(self) -> str:
        """The token; a new one where there is none. Raises FetchRefusedError EDF-003."""
        for attempt in range(TRIES if not self._token else 0):
            try:
                response = self.client.post(
                    self._routes["oauth"],
                    data={"grant_type": "client_credentials"},
                    auth=(self.settings.key, self.secret),
                )
            except httpx.TransportError:
                self.sleep(_pause(None, attempt))
                continue
            if response.status_code in _BUSY:
                self.sleep(_pause(response, attempt))
                continue
            if response.status_code in (400, 401, 403):
                raise FetchRefusedError(
                    "EDF-003", "The Ed-Fi store does not know this key and secret.", "Ask the vendor for a new secret."
                )
            told = _parsed(response)
            self._token = str(told.get("access_token", "")) if isinstance(told, dict) else ""
            if not self._token:
                raise _not_edfi("it gave no token")
            break
        if not self._token:
            raise _unreachable()
        return self._token

    def _of_year(self, route: str) -> str:
        year = self.settings.school_year
        if _YEAR_IN_ROUTE in route:
            return route.replace(_YEAR_IN_ROUTE, str(year or ""))
        return f"{route}/{year}" if year is not None else route


def read_settings(folder: Path) -> tuple[StoreSettings, str]:
    """The settings and the secret; raises WorkspaceError EDF-001 or EDF-002, KEY-002 where others may read it."""
    try:
        settings = StoreSettings.model_validate(read_yaml((folder / SETTINGS_FILE).read_text("utf-8")))
    except (OSError, ValidationError, yaml.YAMLError, UnicodeDecodeError):
        raise WorkspaceError(
            "EDF-001", "edfi.yaml is missing or not whole.", "Write it: docs/sources/edfi.md"
        ) from None
    _check_address(settings.url)
    try:
        check_owner_only(folder / settings.secret_file)
        secret = (folder / settings.secret_file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret:
        raise WorkspaceError("EDF-002", "The Ed-Fi secret is missing.", "Write it into the file that edfi.yaml names.")
    return settings, secret


def fetch(store: Store, folder: Path, *, whole: bool = False) -> Fetched:
    """Brings the folder up to date: what changed and was deleted since the last time, or everything.

    All resources of one moment, or nothing is changed: the files are replaced together at the end.
    """
    store.discover()
    newest = store.newest_change()
    since = None if whole or newest is None else _since(folder)
    window = {"maxChangeVersion": newest} if newest is not None else {}
    if since is not None:
        window["minChangeVersion"] = since + 1
    kept: dict[str, dict[str, dict[str, Any]]] = {}
    forbidden: list[str] = []
    changed = deleted = 0
    for resource in RESOURCES:
        objects = store.objects(resource, window)
        if objects is None:
            forbidden.append(resource)
            continue
        of_now = _by_id(objects)
        changed += len(of_now)
        if since is not None:
            before = _by_id(_kept_objects(folder, resource))
            gone = store.deletions(resource, window) & set(before)
            deleted += len(gone)
            of_now = {**{key: one for key, one in before.items() if key not in gone}, **of_now}
        kept[resource] = of_now
    _replace(folder, kept, newest)
    return Fetched({name: len(found) for name, found in kept.items()}, changed, deleted, tuple(forbidden))


def _by_id(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Objects by their id, the later one of two; those without an id by their content."""
    return {str(one.get("id") or json.dumps(one, sort_keys=True)).replace("-", ""): one for one in objects}


def _since(folder: Path) -> int | None:
    try:
        newest = json.loads((folder / STATE_FILE).read_text("utf-8"))["newest"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return newest if isinstance(newest, int) else None


def _kept_objects(folder: Path, resource: str) -> list[dict[str, Any]]:
    try:
        lines = (folder / f"{resource}.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line]
    except OSError:
        return []
    except ValueError:
        raise WorkspaceError("EDF-006", "What was fetched before is not whole.", "Fetch again with --whole.") from None


def _replace(folder: Path, kept: Mapping[str, Mapping[str, Mapping[str, Any]]], newest: int | None) -> None:
    """The folder with these files and no others, complete or as it was."""
    building = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    for resource, objects in kept.items():
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects.values())
        (building / f"{resource}.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    (building / STATE_FILE).write_text(json.dumps({"newest": newest}), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    building.replace(folder)


def _parsed(response: httpx.Response) -> Any:
    if response.status_code >= 400:
        raise _not_edfi(f"it answered {response.status_code}")
    try:
        return response.json()
    except ValueError:
        raise _not_edfi("an answer is no JSON") from None


def _pause(response: httpx.Response | None, attempt: int) -> float:
    """How long to wait: as long as the store asks for, else longer each time."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(asked) if asked.isascii() and asked.isdigit() else 0.5 * 2**attempt, _PAUSE_SECONDS_MAX)


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise WorkspaceError("EDF-001", "The Ed-Fi store is not reached by https.", "Give its https address.")


def _not_edfi(why: str) -> FetchRefusedError:
    return FetchRefusedError("EDF-005", f"This is no Ed-Fi store that can be read: {why}.", "Check url in edfi.yaml.")


def _unreachable() -> StoreUnreachableError:
    return StoreUnreachableError(
        "EDF-004", "The Ed-Fi store does not answer; nothing was changed.", "Give the same command again in a while."
    )
