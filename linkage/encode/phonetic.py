"""A phonetic code for names of several languages: used at the edge for the views that block on names by sound.

Soundex (Russell 1918; Knuth, The Art of Computer Programming, volume 3, chapter 6) with its first letter folded, since
Soundex parts Jimenez from Ximenez, Catherine from Katherine and Vaca from Baca, and knows no silent h. Chosen by
group against five others (docs/linkage.md). It is defined for every sequence of letters: what is not a to z stands
for itself.
"""

from __future__ import annotations

import functools
import re

_LEADING: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^(?:kn|gn|pn)", "n"),
        (r"^wr", "r"),
        (r"^ps", "s"),
        (r"^ph", "f"),
        (r"^h(?=[aeiou])", ""),
        (r"^g(?=[ei])", "j"),
    )
)
_FOLDED = {"v": "b", "c": "k", "q": "k", "x": "j", "z": "s", "i": "y"}
_DIGITS = (
    dict.fromkeys("bpvf", "1")
    | dict.fromkeys("cgjkqsxz", "2")
    | dict.fromkeys("dt", "3")
    | dict.fromkeys("l", "4")
    | dict.fromkeys("mn", "5")
    | dict.fromkeys("r", "6")
    | dict.fromkeys("aeiouy", "")
)
_SILENT = "hw"
_CODE_LENGTH = 4


@functools.lru_cache(maxsize=200_000)
def phonetic_code(name: str) -> str:
    """The folded first letter and at most three sounds of a normalised name; empty for the empty name only."""
    spelled = name
    for pattern, sound in _LEADING:
        spelled = pattern.sub(sound, spelled)
    if not spelled:
        return ""
    code = [_FOLDED.get(spelled[0], spelled[0])]
    last = _DIGITS.get(spelled[0], spelled[0])
    for letter in spelled[1:]:
        if letter in _SILENT:
            continue
        sound = _DIGITS.get(letter, letter)
        if sound and sound != last:
            code.append(sound)
        last = sound
    return "".join(code)[:_CODE_LENGTH]
