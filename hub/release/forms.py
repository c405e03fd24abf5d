"""Which writer makes which form of an answer; each is written only when somebody asks for it."""

import json
from collections.abc import Callable

from hub.release.answers import observation_rows, observations_body
from hub.release.formats import CSV, JSON_STAT, PNG, XLSX, csv_text
from hub.release.json_stat import json_stat_of
from hub.release.pictures import picture_of
from hub.release.questions import Observations
from hub.release.workbook import workbook_of
from policies.catalogue_files import Catalogue


def writer_of(
    found: Observations, *, indicator: str, labels: bool, next_link: str | None, catalogue: Catalogue, address: str
) -> Callable[[str], bytes]:
    """The writer of an answer, by media type."""

    def written(media_type: str) -> bytes:
        if media_type == CSV:
            return csv_text(observation_rows(found, labels=labels)).encode()
        if media_type == XLSX:
            return workbook_of(found, indicator=indicator, catalogue=catalogue, address=address)
        if media_type == PNG:
            return picture_of(found, indicator=indicator)
        if media_type == JSON_STAT:
            return json.dumps(json_stat_of(found, indicator=indicator), ensure_ascii=False).encode()
        body = observations_body(found, indicator=indicator, labels=labels, next_link=next_link)
        return json.dumps(body, ensure_ascii=False).encode()

    return written
