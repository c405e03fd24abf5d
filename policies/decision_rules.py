"""Every rule that can decide, with its sentence: the table of the manual (docs/decisions-explained.md)."""

from __future__ import annotations

from collections.abc import Mapping

# A refusal for what is absent and one for what is hidden are the same rule: cover both.
RULES: Mapping[str, str] = {
    "R-00": "permitted",
    "R-01": "no role of yours may do this",
    "R-02": "you may do this for your own organisation only",
    "R-03": "your sign-in is bound to another agreement",
    "R-10": "name an agreement in force that your organisation is a licensee of",
    "R-11": "name a purpose of that agreement",
    "R-12": "the agreement does not name this indicator; ask for one that it names",
    "R-13": "the agreement does not name this dimension; ask for those that it names",
    "R-14": "the agreements allow fewer dimensions at once",
    "R-15": "the agreements let no place be told as fine as this",
    "R-16": "an agreement of those who give these records does not name this purpose",
    "R-17": "an agreement of those who give these records does not let this be reported",
    "R-18": "an agreement of those who give these records does not let results be split by this",
    "R-20": "no agreement in force lets this organisation send this",
    "R-21": "the agreement is in force in another version",
    "R-22": "the agreement is about other school years",
    "R-23": "the agreement does not name this element",
    "R-24": "the agreement is about offices of other areas",
    "R-25": "the agreement is about other grades",
    "R-30": "the agreement under which this was sent is no longer in force",
    "R-31": "the agreement under which this was sent does not let it be linked with records of that kind",
}
