"""The letters that the page must know as Python knows them: `python3 -m connectors.encoder_page.letters` writes them.

A browser knows another version of Unicode than Python does, and has no case folding. So what Python 3.11 (Unicode 14)
does to each sign is written down once, in letters.json; a later Python does not change what an encoding is.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("letters.json")
VERSION = "14.0.0"
_SURROGATES = range(0xD800, 0xE000)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def letters() -> dict[str, Any]:
    """Case folding of signs that stand for themselves under NFKD; combining signs; signs that are not assigned."""
    signs = [chr(code) for code in range(sys.maxunicode + 1) if code not in _SURROGATES]
    folds = {
        sign: sign.casefold()
        for sign in signs
        if sign.casefold() != sign and unicodedata.normalize("NFKD", sign) == sign
    }
    short = {sign: folded for sign, folded in folds.items() if len(folded) == 1}
    return {
        "version": unicodedata.unidata_version,
        "folds": ["".join(short), "".join(short.values())],
        "long_folds": {sign: folded for sign, folded in folds.items() if sign not in short},
        "combining": _ranges(signs, lambda sign: unicodedata.combining(sign) != 0),
        "unassigned": _ranges(signs, lambda sign: unicodedata.category(sign) == "Cn"),
    }


def _ranges(signs: list[str], holds: Callable[[str], bool]) -> str:
    """Where the ranges begin and end, each as the step from the place before, in base 36."""
    places: list[int] = []
    inside = False
    for sign in signs:
        if holds(sign) != inside:
            places.append(ord(sign))
            inside = not inside
    places += [sys.maxunicode + 1] if inside else []
    return " ".join(_base36(after - before) for before, after in zip([0, *places], places, strict=False))


def _base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def main() -> int:
    """Writes the file; only a Python of the version that encodings keep to may."""
    if unicodedata.unidata_version != VERSION:
        sys.stderr.write(f"letters.json is made by a Python of Unicode {VERSION}: use Python 3.11\n")
        return 2
    FILE.write_text(json.dumps(letters(), ensure_ascii=True, indent=0) + "\n", "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
