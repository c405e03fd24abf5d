"""What the page is given as data: the schema, the names, the letters, the dictionary and the rules that it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from connectors.encoder_page.letters import FILE as LETTERS_FILE
from connectors.suggestions import synonyms
from connectors.values import RACE_WORDS
from linkage.schema import MINIMUM_RECORDS, current_schema
from policies.dictionary import Element, dictionary
from policies.rules.rulebook import rejecting_twin, rulebook

KINDS = {"preschool": "preschool", "programme": "programme"}
"""The kinds of submission that the page makes, and the table that a row of their file is."""
TABLES = ("preschool", "attendance", "demographics", "programme")
FAMILIES = ("FIL", "ROW", "IDN", "DAT", "COD", "NUM", "TXT")
_IDENTITY = (
    "local_id", "given", "middle", "surname", "suffix", "alias_given", "alias_surname", "birth_date", "gender",
    "postcode", "ssid", "guardian_given", "guardian_surname",
)  # fmt: skip


def page_data() -> dict[str, Any]:
    """One object; the page's scripts read nothing else."""
    tables = dictionary().tables
    elements = {name for table in TABLES for name in tables[table].elements}
    schema = current_schema()
    return {
        "schema": _packaged("linkage", "schema/v2.json"),
        "schema_hash": schema.hash,
        "minimum_records": MINIMUM_RECORDS,
        "names": _packaged("linkage.encode", f"tables/{schema.tables_file}"),
        "unicode": json.loads(LETTERS_FILE.read_text("ascii")),
        "kinds": KINDS,
        "tables": {table: _table(table) for table in TABLES},
        "rules": _rules(),
        "race_words": RACE_WORDS,
        "words": {name: sorted(synonyms(name)) for name in sorted({*_IDENTITY, *elements})},
    }


def data_script() -> str:
    """The same as a line of script for each part, in the signs of ASCII."""
    lines = [f"  {json.dumps(name)}: {json.dumps(part, separators=(',', ':'))}," for name, part in page_data().items()]
    return "\n".join(["const DATA = {", *lines, "};\n"]).replace("</", "<\\/")


def _packaged(package: str, name: str) -> Any:
    return json.loads(resources.files(package).joinpath(name).read_text("utf-8"))


def _table(name: str) -> Mapping[str, Any]:
    table = dictionary().tables[name]
    return {"kinds": sorted(table.kinds), "elements": {of.name: _element(of) for of in table.elements.values()}}


def _element(of: Element) -> Mapping[str, Any]:
    told = {
        "type": of.type,
        "required": of.required or None,
        "codes": sorted(of.codes) or None,
        "pattern": of.pattern.pattern if of.pattern else None,
        "minimum": of.minimum,
        "maximum": of.maximum,
    }
    return {name: value for name, value in told.items() if value is not None}


def _rules() -> Mapping[str, Any]:
    """Severity, cause, fix, example and the twin that costs the row, by code."""
    return {
        rule.code: [rule.severity, rule.cause, rule.fix, rule.example, rejecting_twin(rule.code)]
        for rule in rulebook().values()
        if rule.code[:3] in FAMILIES
    }
