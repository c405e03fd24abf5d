"""The vectors another encoder is held to, bit for bit: `python tests/vectors/make_encoding.py` writes encoding.json.

Everything follows from the schema, the two keys and the made-up people given here. Bytes are in hexadecimal.
Nobody in it exists.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from linkage.encode.encoder import encode_roster
from linkage.encode.filters import GramTable, gram_codes, name_filters
from linkage.encode.forms import NameForm, given_forms, surname_forms
from linkage.encode.keys import subkey
from linkage.encode.normalise import date_parts, name_parts, postcode_value, sex_value, ssid_value
from linkage.encode.person import ClearPerson, SpanFacts
from linkage.encode.phonetic import phonetic_code
from linkage.encode.tables import name_tables
from linkage.encode.tokens import digests, name_digests, tokens
from linkage.schema import current_schema
from linkage.sealed_ids import seal_records

FILE = Path(__file__).with_name("encoding.json")
SECRET, SUBMISSION_KEY = bytes(range(32)), bytes(range(100, 132))
SCHEMA = current_schema()
TABLES = name_tables(SCHEMA)

GIVEN = (
    "Quzam", "QUZAM", " Qu'zam ", "Zoë", "Łukaszyq", "Straßel", "Mary-Ann", "Bob", "Liz", "Wei Min", "Xiu",
    "Ng", "O’Quzam", "J.", "unknown", "XX", "-", "", "Иqра", "𝙰q", "Ǆuza", "Björnq", "José", "Kathryn",
)  # fmt: skip
SURNAMES = (
    "Xelor", "Xelor Zumi", "Xelor-Zumi", "de la Xelor", "De La", "van der Zumi", "Mc Xelor", "O'Xelor", "Xelor Jr.",
    "Zumi III", "Huang", "Wong", "Nguyen", "Gim", "Xelór y Zumí", "d'Xelor", "Test", "N/A", "Ñuzé", "Xelor Zumi Quza",
)  # fmt: skip
DATES = ("2010-02-03", "2010-03-02", "2010-2-3", "1900-01-01", "2010-13-05", "2010-00-00", "10-02-03", "bad", "")
POSTCODES = ("94901", "94901-1234", "949011234", "00000", "99999", " k1a 0b1 ", "")
SSIDS = ("1234567890", "12-3456-7890", "0000000000", "", "7")
SEXES = ("F", "m", "X", "Female", "U", "")
PEOPLE: tuple[dict[str, Any], ...] = (
    {"given": "Quzam", "middle": "Zora", "surname": "Xelor", "birth_date": "2010-02-03", "sex": "F",
     "postcode": "94901", "ssid": "1234567890", "guardian": ["Vexa Xelor"]},
    {"given": "Xelor", "surname": "Quzam", "birth_date": "2010-03-02", "sex": "F", "postcode": "94901-1234"},
    {"given": "Bob", "surname": "Xelor Zumi", "birth_date": "2011-12-31", "sex": "M", "postcode": "94903"},
    {"given": "Zoë", "surname": "van der Zumi", "alias_given": ["Qizzy"], "alias_surname": ["Quza-Xelor"],
     "birth_date": "2009-05-05"},
    {"given": "Wei Min", "surname": "Huang", "birth_date": "2012-10-01", "sex": "X",
     "guardian": ["Zumi", "Huang Vexa"]},
    {"given": "Quzam", "surname": "Quzam", "birth_date": "2010-02-03", "ssid": "9876543210"},
    {"surname": "Zumi III", "birth_date": "2010-02-03", "postcode": "94901"},
    {"given": "Иqра", "surname": "Ñuzé", "birth_date": "1900-01-01", "postcode": "00000"},
    {"birth_date": "2010-07-08", "sex": "F"},
)  # fmt: skip


def vectors() -> dict[str, Any]:
    """What encoding.json holds."""
    return {
        "about": "An encoder of this schema gives exactly these values. Made by tests/vectors/make_encoding.py.",
        "schema_hash": SCHEMA.hash,
        "secret": SECRET.hex(),
        "submission_key": SUBMISSION_KEY.hex(),
        "name_parts": [[raw, list(name_parts(raw, tables=TABLES))] for raw in (*GIVEN, *SURNAMES)],
        "given_forms": [[raw, _forms(given_forms(raw, (), tables=TABLES))] for raw in GIVEN],
        "surname_forms": [[raw, _forms(surname_forms(raw, (), tables=TABLES))] for raw in SURNAMES],
        "forms_with_aliases": [
            [["Zoë", ["Qizzy", "Bob"]], _forms(given_forms("Zoë", ("Qizzy", "Bob"), tables=TABLES))],
            [["Xelor", ["Quza-Zumi"]], _forms(surname_forms("Xelor", ("Quza-Zumi",), tables=TABLES))],
        ],
        "phonetic_codes": [[name, phonetic_code(name)] for name in _words()],
        "date_parts": [[raw, list(date_parts(raw, tables=TABLES))] for raw in DATES],
        "postcodes": [[raw, postcode_value(raw)] for raw in POSTCODES],
        "ssids": [[raw, ssid_value(raw)] for raw in SSIDS],
        "sexes": [[raw, sex_value(raw)] for raw in SEXES],
        "gram_codes": [[name, list(gram_codes(name))] for name in _words()],
        "subkeys": [[purpose, subkey(SECRET, schema=SCHEMA, purpose=purpose).hex()] for purpose in _purposes()],
        "tokens": _tokens(),
        "filters": _filters(),
        "sealed_ids": _sealed_ids(),
        "people": list(PEOPLE),
        **_roster(),
    }


def _forms(forms: tuple[NameForm, ...]) -> list[list[Any]]:
    return [[form.text, form.code, form.variant] for form in forms]


def _words() -> list[str]:
    found = [form.text for raw in GIVEN for form in given_forms(raw, (), tables=TABLES)]
    found += [form.text for raw in SURNAMES for form in surname_forms(raw, (), tables=TABLES)]
    return [word for word in dict.fromkeys(found) if word]


def _purposes() -> list[str]:
    return ["tags", *(f"view/{view.name}/{use}" for view in SCHEMA.views for use in ("token", "filter"))]


def _tokens() -> list[list[Any]]:
    """View, the joined value, the two names or codes in any order, the token."""
    found = []
    for view, value, names in (
        ("spellings_year", "2010", ("quzam", "xelor")),
        ("spellings_day", "2-3", ("xelor", "quzam")),
        ("date_spelling", "2010\x1f2-3", ("", "quzam")),
        ("dob", "2010\x1f2-3", ("", "")),
        ("ssid", "1234567890", ("", "")),
    ):
        key = subkey(SECRET, schema=SCHEMA, purpose=f"view/{view}/token")
        token = tokens(digests([value]), names=np.sort(name_digests(names)).reshape(1, 2), key=key)
        found.append([view, value, list(names), token.tobytes().hex()])
    return found


def _filters() -> list[list[str]]:
    words = [*_words(), "x", "quzamirabelothranidexiflomugapevotisyu"]
    key = subkey(SECRET, schema=SCHEMA, purpose="view/dob/filter")
    salts = np.random.default_rng(1).integers(0, 256, size=(len(words), 16), dtype=np.uint8)
    filters = name_filters(
        np.arange(len(words)), tokens=salts, grams=GramTable(words), key=key, weight=SCHEMA.filter_weight
    )
    return [
        [word, salt.tobytes().hex(), made.tobytes().hex()]
        for word, salt, made in zip(words, salts, filters, strict=True)
    ]


def _sealed_ids() -> list[list[Any]]:
    """Record number and nonce in decimal (they may have 64 bits), and the sealed id."""
    records, nonces = np.array([0, 5, 2**64 - 1], dtype=np.uint64), np.array([1, 2**63, 0], dtype=np.uint64)
    sealed = seal_records(records, nonces=nonces, key=SUBMISSION_KEY)
    return [[str(r), str(n), s.tobytes().hex()] for r, n, s in zip(records, nonces, sealed, strict=True)]


def _roster() -> dict[str, Any]:
    """By view the sorted rows of all people without the 16 bytes of the sealed id; profile; the sorted span rows."""
    people = [
        ClearPerson(number, **{name: tuple(v) if isinstance(v, list) else v for name, v in person.items()})
        for number, person in enumerate(PEOPLE)
    ]
    spans = [SpanFacts(n, bytes([n] * 16), 2026, n - 2, n % 2 == 0, 307, 316) for n in range(len(people))]
    encoded = encode_roster(
        people, spans=spans, schema=SCHEMA, secret=SECRET, submission_key=SUBMISSION_KEY, minimum_records=0,
        views=[view.name for view in SCHEMA.views], rng=np.random.default_rng(1),
    )  # fmt: skip
    return {
        "rows": {view: sorted(row.tobytes()[16:].hex() for row in rows) for view, rows in encoded.rows.items()},
        "profile": {view: [of.values, of.largest] for view, of in encoded.profile.items()},
        "spans": sorted(row.tobytes().hex() for row in encoded.spans),
    }


def main() -> None:
    FILE.write_text(json.dumps(vectors(), ensure_ascii=True, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
