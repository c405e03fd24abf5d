"""The forms of an answer: tidy rows as JSON or CSV at one address, chosen by `format` or `Accept`; strong ETags.

Rows of a declared table come as workbook, JSON-stat and picture too.

A hidden number is null in JSON and an empty field in CSV, with its status and reason beside it; never a code.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from fastapi import Request, Response

from hub.errors import Fault, Invalid

JSON, CSV, PNG = "application/json", "text/csv", "image/png"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JSON_STAT = "application/vnd.json-stat+json"
FORMATS: Mapping[str, str] = {"json": JSON, "csv": CSV}
TABLE_FORMATS: Mapping[str, str] = {**FORMATS, "xlsx": XLSX, "json-stat": JSON_STAT, "png": PNG}
"""What the rows of a declared table come in besides."""
ENDINGS = {CSV: "csv", XLSX: "xlsx", JSON_STAT: "json", PNG: "png"}
Row = Mapping[str, object]


def wanted_format(request: Request, *, among: Mapping[str, str] = FORMATS) -> str:
    """The media type asked for; raises Invalid for one that there is not."""
    named = request.query_params.get("format")
    if named is not None:
        if named not in among:
            raise Invalid(
                "There is no such format.",
                code="format-unknown",
                next_step=f"Ask one of: {', '.join(among)}.",
                faults=(Fault("format", "format-unknown"),),
            )
        return among[named]
    first = request.headers.get("accept", "").split(",")[0].split(";")[0].strip()
    return first if first in among.values() else JSON


def etag_of(request: Request, *, release: str, versions: Mapping[str, str], media_type: str) -> str:
    """A strong tag: release, question, agreement versions and form; a release never changes, so it always holds."""
    question = sorted((name, value) for name, value in request.query_params.multi_items() if name != "format")
    content = json.dumps([release, request.url.path, question, sorted(versions.items()), media_type])
    return f'"{sha256(content.encode()).hexdigest()[:40]}"'


def answer(
    request: Request, body: Mapping[str, object], *, rows: Sequence[Row], etag: str, open_to_all: bool
) -> Response:
    """The answer as JSON or CSV, or 304 when the asker has it."""

    def written(media_type: str) -> bytes:
        return (csv_text(rows) if media_type == CSV else json.dumps(body, ensure_ascii=False)).encode()

    return answer_as(request, wanted_format(request), written=written, etag=etag, open_to_all=open_to_all)


def answer_as(
    request: Request, media_type: str, *, written: Callable[[str], bytes], etag: str, open_to_all: bool
) -> Response:
    """The answer in a form, written only where the asker does not have it yet."""
    headers = {
        "ETag": etag,
        "Cache-Control": "public, no-cache" if open_to_all else "private, no-store",
        "Vary": "Accept, Authorization, Cookie",
        "X-Content-Type-Options": "nosniff",
    }
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(status_code=304, headers=headers)
    if media_type in ENDINGS:
        headers["Content-Disposition"] = f'attachment; filename="promise-hub.{ENDINGS[media_type]}"'
    kind = f"{CSV}; charset=utf-8" if media_type == CSV else media_type
    return Response(written(media_type), media_type=kind, headers=headers)


def csv_text(rows: Sequence[Row]) -> str:
    """Rows as CSV with a header line; a hidden number is an empty field."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if value is None else value for name, value in row.items()})
    return out.getvalue()
