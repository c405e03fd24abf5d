"""A small client of the results API: the same tidy rows that the CSV has, for a script or a notebook.

    from hub.client import Client
    rows = Client("http://127.0.0.1:8400").observations(indicator="third-grade-reading", by="race").rows

It imports nothing of ours, so it can be copied. A token is bound to one agreement; name a purpose with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx

TIMEOUT_SECONDS = 30.0
Row = dict[str, Any]


class ProblemError(Exception):
    """The hub refused or failed: its code, what happened, and what to do next."""

    def __init__(self, status: int, code: str, *, detail: str, next_step: str) -> None:
        super().__init__(f"{status} {code}: {detail} Next step: {next_step}")
        self.status, self.code, self.detail, self.next_step = status, code, detail, next_step


@dataclass(frozen=True)
class Answer:
    """Rows with what must be read beside them; a hidden number is None with status `C` and a reason."""

    rows: list[Row]
    notes: list[str]
    citation: str
    body: Mapping[str, Any]

    def frame(self) -> Any:
        """The rows as a pandas frame, if pandas is installed; a hidden number is <NA>, whole numbers stay whole."""
        import pandas as pd

        return pd.DataFrame(self.rows).convert_dtypes()


class Client:
    """One hub, with a token or as the public. Use as a context manager or call `close()`."""

    def __init__(self, url: str, *, token: str | None = None, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Accept": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
        self._http = httpx.Client(base_url=url, headers=headers, transport=transport, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def indicators(self) -> list[Row]:
        """Every indicator with its definition and the splits that may be asked."""
        return self._get("/v1/indicators", {}).rows

    def dimensions(self) -> list[Row]:
        """Every dimension with its levels."""
        return self._get("/v1/dimensions", {}).rows

    def observations(self, *, indicator: str, by: str = "", cohort: str = "", **more: str) -> Answer:
        """All rows of one table, every page of it: `by="race,economic-status"`, `cohort="2022..2026"`."""
        wanted = {"indicator": indicator, "by": by, "cohort": cohort, **more}
        answer = self._get("/v1/observations", wanted)
        rows, link = list(answer.rows), answer.body.get("next")
        while link:
            page = self._get(link, {})
            rows, link = [*rows, *page.rows], page.body.get("next")
        return Answer(rows, answer.notes, answer.citation, answer.body)

    def gaps(self, *, indicator: str = "", pair: str = "", **more: str) -> Answer:
        """Gaps by cohort year; `body["pace"]` has the pace needed and made."""
        return self._get("/v1/gaps", {"indicator": indicator, "pair": pair, **more})

    def pathway(self, *, cohort: int, **more: str) -> Answer:
        """The class that began kindergarten in a school year, by outcome."""
        return self._get("/v1/pathway", {"cohort": str(cohort), **more})

    def _get(self, path: str, wanted: Mapping[str, str]) -> Answer:
        named = {name: value for name, value in wanted.items() if value}
        answer = self._http.get(path, params=named or None)
        body = answer.json()
        if answer.is_error:
            raise ProblemError(
                answer.status_code,
                str(body.get("code", "unknown")),
                detail=str(body.get("detail", "")),
                next_step=str(body.get("next_step", "")),
            )
        return Answer(list(body["rows"]), list(body.get("notes", [])), str(body.get("citation", "")), body)
