"""The forms of an answer: tidy rows as JSON or CSV at one address, chosen by `format` or `Accept`; strong ETags.

A hidden number is null in JSON and an empty field in CSV, with its status and reason beside it; never a code.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from fastapi import Request, Response

from hub.errors import Fault, Invalid

JSON, CSV = "application/json", "text/csv"
FORMATS = {"json": JSON, "csv": CSV}
Row = Mapping[str, object]


def wanted_format(request: Request) -> str:
    """The media type asked for; raises Invalid for one that there is not."""
    named = request.query_params.get("format")
    if named is not None:
        if named not in FORMATS:
            raise Invalid(
                "There is no such format.",
                code="format-unknown",
                next_step=f"Ask one of: {', '.join(FORMATS)}.",
                faults=(Fault("format", "format-unknown"),),
            )
        return FORMATS[named]
    return CSV if request.headers.get("accept", "").split(",")[0].split(";")[0].strip() == CSV else JSON


def etag_of(request: Request, *, release: str, versions: Mapping[str, str], media_type: str) -> str:
    """A strong tag: release, question, agreement versions and form; a release never changes, so it always holds."""
    question = sorted((name, value) for name, value in request.query_params.multi_items() if name != "format")
    content = json.dumps([release, request.url.path, question, sorted(versions.items()), media_type])
    return f'"{sha256(content.encode()).hexdigest()[:40]}"'


def answer(
    request: Request, body: Mapping[str, object], *, rows: Sequence[Row], etag: str, open_to_all: bool
) -> Response:
    """The answer in the form that was asked for, or 304 when the asker has it."""
    headers = {
        "ETag": etag,
        "Cache-Control": "public, no-cache" if open_to_all else "private, no-store",
        "Vary": "Accept, Authorization, Cookie",
        "X-Content-Type-Options": "nosniff",
    }
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(status_code=304, headers=headers)
    if wanted_format(request) == CSV:
        headers["Content-Disposition"] = 'attachment; filename="promise-hub.csv"'
        return Response(csv_text(rows), media_type=f"{CSV}; charset=utf-8", headers=headers)
    return Response(json.dumps(body, ensure_ascii=False), media_type=JSON, headers=headers)


def csv_text(rows: Sequence[Row]) -> str:
    """Rows as CSV with a header line; a hidden number is an empty field."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if value is None else value for name, value in row.items()})
    return out.getvalue()
