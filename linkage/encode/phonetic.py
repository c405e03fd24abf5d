"""A phonetic code for names of several languages: used at the edge for the views that block on names.

Soundex keeps the first letter, which loses Kim and Gim, Jimenez and Ximenez, Catherine and Katherine,
and knows nothing of Spanish silent h, b for v or ll for y. This code folds letters into sound classes
at every place, first letter included, and keeps no vowel but a leading one. It is defined for every
sequence of letters: what is not a to z stands for itself.
"""

from __future__ import annotations

import functools
import re

_SPELLINGS: tuple[tuple[str, str], ...] = (
    (r"^(?:kn|gn|pn)", "n"),
    (r"^wr", "r"),
    (r"^ps", "s"),
    (r"^h(?=[aeiou])", ""),
    (r"ph", "f"),
    (r"gh(?=[^aeiou]|$)", ""),
    (r"sch", "s"),
    (r"(?:tch|ch|sh|zh|ts|tz)", "s"),
    (r"ck|cq", "k"),
    (r"qu|gu(?=[ei])", "k"),
    (r"[cg](?=[eiy])", "s"),
    (r"th", "t"),
)
_RULES = tuple((re.compile(pattern), sound) for pattern, sound in _SPELLINGS)
_CLASS_OF = (
    dict.fromkeys("bpvf", "b")
    | dict.fromkeys("cgkq", "k")
    | dict.fromkeys("sxzj", "s")
    | dict.fromkeys("dt", "t")
    | dict.fromkeys("mn", "n")
    | dict.fromkeys("aeiouhwy", "")
)
_CODE_LENGTH = 4


@functools.lru_cache(maxsize=200_000)
def phonetic_code(name: str) -> str:
    """At most four sound classes of a normalised name; never empty for a name that is not."""
    spelled = name
    for pattern, sound in _RULES:
        spelled = pattern.sub(sound, spelled)
    if not spelled:
        return ""
    code = [_first_class(spelled[0])]
    last = code[0]
    for letter in spelled[1:]:
        sound = _CLASS_OF.get(letter, letter)
        if sound and sound != last:
            code.append(sound)
        last = sound
    return "".join(code)[:_CODE_LENGTH]


def _first_class(letter: str) -> str:
    """A leading vowel is kept as one class, a leading w or y as itself."""
    return _CLASS_OF.get(letter, letter) or (letter if letter in "wy" else "a")
