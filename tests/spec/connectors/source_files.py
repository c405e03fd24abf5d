"""Hand-made source files for the tests of the edge: every name in them is a marked word that no one bears."""

from __future__ import annotations

GIVEN, SURNAME, OTHER_SURNAME = "Qzaxiwol", "Vwolkatrix", "Xuqqobren"
MARKED = (GIVEN, SURNAME, OTHER_SURNAME, "Zzyqlmor")


def caret(width: int, fields: dict[int, str]) -> str:
    """One record without header: the fields by their place, counted from one."""
    cells = [fields.get(place, "") for place in range(1, width + 1)]
    return "^".join(cells)


def senr(width: int = 40, **changed: str) -> str:
    late = 26 if width >= 40 else 25
    names = {"exit_date": late, "exit_reason": late + 1, "completion": late + 2, "uc_csu": late + 4}
    fields = {
        1: "SENR",
        4: "2165417",
        5: "6111111",
        7: "2025-2026",
        8: "1234567890",
        9: "L1",
        10: GIVEN,
        12: SURNAME,
        17: "20150304",
        18: "F",
        22: "20250820",
        23: "10",
        24: "05",
    }
    return caret(width, fields | _placed(changed, names))


def sinf(width: int = 38, **changed: str) -> str:
    fields = {
        1: "SINF",
        4: "20250820",
        6: "2165417",
        7: "6111111",
        8: "2025-2026",
        9: "1234567890",
        10: "L1",
        11: GIVEN,
        13: SURNAME,
        18: "20150304",
        19: "F",
        23: "N",
        25: "700",
        35: "94945",
        (50 if width >= 50 else 38): "14",
    }
    return caret(width, fields | _placed(changed, {}))


def sela(**changed: str) -> str:
    fields = {1: "SELA", 6: "2025-2026", 7: "1234567890", 12: "L1", 13: "EL", 14: "20200901"}
    return caret(15, fields | _placed(changed, {}))


def sprg(**changed: str) -> str:
    fields = {1: "SPRG", 6: "2025-2026", 7: "1234567890", 8: "L1", 13: "181", 15: "20250820"}
    return caret(25, fields | _placed(changed, {}))


def stas(**changed: str) -> str:
    fields = {1: "STAS", 5: "6111111", 6: "2025-2026", 7: "1234567890", 8: "L1", 15: "180.00", 16: "171.50"}
    return caret(21, fields | _placed(changed, {}))


TOMS_TITLES = (
    "RecordType", "SSID", "StudentLastName", "StudentFirstName", "DateofBirth", "GradeAssessed", "ConditionCode",
    "Attemptedness", "ScoreStatus", "IncludeIndicator", "ScaleScore", "AchievementLevels", "EconomicDisadvantageStatus",
)  # fmt: skip


def toms(delimiter: str = "^", **changed: str) -> str:
    cells = {
        "RecordType": "01",
        "SSID": "1234567890",
        "StudentLastName": SURNAME,
        "StudentFirstName": GIVEN,
        "DateofBirth": "2015-03-04",
        "GradeAssessed": "05",
        "Attemptedness": "Y",
        "ScoreStatus": "V",
        "IncludeIndicator": "Y",
        "ScaleScore": "2510",
        "AchievementLevels": "3",
        "EconomicDisadvantageStatus": "Yes",
    } | changed
    return delimiter.join(cells.get(title, "") for title in TOMS_TITLES)


def toms_file(*rows: str, delimiter: str = "^") -> str:
    return lines(delimiter.join(TOMS_TITLES), *rows)


KSEP_TITLES = (
    "Local Student ID,Last Name,First Name,Date of Birth,Instrument,Instrument Version,Assessment Date,Total Score,Band"
)
KSEP_ROW = f"L1,{SURNAME},{GIVEN},03/04/2020,KSEP,2018,08/25/2025,51,Ready to Go"

ROSTER_TITLES = (
    "Report Month,Vendor Number,FICN,Head of Household Last Name,Head of Household First Name,ZIP+4,"
    "Child ID,Child Last Name,Child First Name,Child Birth Date,Child Sex,Child Hispanic,Child Race,"
    "Program Code,Start Date,End Date,Days Enrolled,Days Attended"
)


def child(**changed: str) -> str:
    cells = {
        "Report Month": "05/2026",
        "Vendor Number": "A214 01",
        "FICN": "F100",
        "Head of Household Last Name": SURNAME,
        "Head of Household First Name": "Zzyqlmor",
        "ZIP+4": "94901-1234",
        "Child ID": "C1",
        "Child Last Name": SURNAME,
        "Child First Name": GIVEN,
        "Child Birth Date": "03/04/2021",
        "Child Sex": "F",
        "Child Hispanic": "Y",
        "Program Code": "CSPP",
        "Start Date": "09/02/2025",
        "Days Enrolled": "170",
        "Days Attended": "160",
    } | changed
    return ",".join(cells.get(title, "") for title in ROSTER_TITLES.split(","))


DETAIL_TITLES = (
    "Your Unique Identifier,First Name,Last Name,Requester Return Field,Record Found Y/N,Search Date,"
    "College Code/Branch,2-year / 4-year,Enrollment Begin,Enrollment End,"
    "Enrollment Status,Graduated?,Graduation Date,Degree Title"
)


def detail(**changed: str) -> str:
    cells = {
        "Your Unique Identifier": "77_",
        "First Name": GIVEN,
        "Last Name": SURNAME,
        "Requester Return Field": "a1b2",
        "Record Found Y/N": "Y",
        "Search Date": "20260820",
        "College Code/Branch": "001178-00",
        "2-year / 4-year": "2-year",
        "Enrollment Begin": "20250825",
        "Enrollment End": "20251220",
        "Enrollment Status": "F",
        "Graduated?": "N",
    } | changed
    return ",".join(cells.get(title, "") for title in DETAIL_TITLES.split(","))


def degree(**changed: str) -> str:
    won = {"Enrollment Begin": "", "Enrollment End": "", "Graduated?": "Y", "Graduation Date": "20260520"}
    return detail(**(won | {"Degree Title": "ASSOCIATE IN ARTS"} | changed))


MAP_TITLES = "Requester Return Field,Local Student ID,FERPA Block,Request Date"
PARTNER_TITLES = "Participant ID,Last Name,First Name,Birth Date,Gender,ZIP,Programme,Start Date,End Date"
PARTNER_ROW = f"P1,{SURNAME},{GIVEN},03/04/2009,F,94901,college-access,09/10/2025,"
WAGE_TITLES = "completion_year,years_after,gender,race_ethnicity,economic_disadvantage,persons,matchable,employed"
SDS_USERS = "sourcedId,orgSourcedIds,username,givenName,familyName,password\n1,2,z,q,v,p\n"


def lines(*rows: str) -> str:
    """Rows with the line ends of the sources."""
    return "\r\n".join(rows) + "\r\n"


def _placed(changed: dict[str, str], names: dict[str, int]) -> dict[int, str]:
    """f9="L2" sets place 9; a name sets its own place."""
    return {names[name] if name in names else int(name.removeprefix("f")): value for name, value in changed.items()}
