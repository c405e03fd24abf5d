"""Single cells: what each kind of column makes of them."""

import datetime as dt

import pytest

from connectors import values

BIRTH = values.date_parser(birth=True, latest=dt.date(2026, 6, 30))
DAY = values.date_parser(latest=dt.date(2026, 6, 30))


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("2015-03-04", ("2015-03-04", None)),
        ("20150304", ("2015-03-04", None)),
        ("03/04/2015", ("2015-03-04", None)),
        ("3/4/2015", ("2015-03-04", None)),
        ("2015-03-04T00:00:00", ("2015-03-04", None)),
        ("3/4/2015 0:00:00", ("2015-03-04", None)),
        ("25-12-2015", ("2015-12-25", None)),
        ("12-25-2015", ("2015-12-25", None)),
        ("05-05-2015", ("2015-05-05", None)),
        ("10-08-2020", (None, "DAT-003")),
        ("10.08.2020", (None, "DAT-003")),
        ("02/30/2015", (None, "DAT-001")),
        ("20151340", (None, "DAT-001")),
        ("42067", (None, "DAT-001")),
        ("March 4", (None, "DAT-001")),
        ("12/30/1899", (None, "DAT-002")),
        ("1900-01-01", (None, "DAT-002")),
        ("1931-01-01", (None, "DAT-004")),
        ("2026-07-01", (None, "DAT-004")),
    ],
)
def test_a_birth_date_is_read_or_its_fault_is_named(cell, read):
    assert BIRTH(cell) == read


def test_other_dates_may_lie_ahead_but_not_far():
    assert DAY("2027-06-10") == ("2027-06-10", None)
    assert DAY("2040-06-10") == (None, "DAT-004")


def test_a_stated_format_settles_day_and_month():
    stated = values.date_parser(("%d-%m-%Y", "%d/%m/%y"), birth=True, latest=dt.date(2026, 6, 30))

    assert stated("10-08-2020") == ("2020-08-10", None)
    assert stated("10/08/20") == ("2020-08-10", None)
    assert stated("2020-08-10") == (None, "DAT-001")


@pytest.mark.parametrize(
    ("parser", "cell", "read"),
    [
        (values.ssid, "1234567890", ("1234567890", None)),
        (values.ssid, "123456789", (None, "IDN-002")),
        (values.ssid, "12345678९0", (None, "IDN-002")),
        (values.local_id, "77_", ("77", None)),
        (values.school, "6111111", ("6111111", None)),
        (values.school, "21654176111111", ("6111111", None)),
        (values.school, "111111", ("0111111", "COD-003")),
        (values.school, "Quaxley", (None, "COD-001")),
        (values.postcode, "94901", ("94901", None)),
        (values.postcode, "94901-1234", ("94901", None)),
        (values.postcode, "4901", ("04901", "COD-003")),
        (values.postcode, "94 9", (None, "COD-001")),
        (values.gender, "Non-binary", ("X", None)),
        (values.gender, "girl", ("F", None)),
        (values.flag, "TRUE", ("Y", None)),
        (values.flag, "maybe", (None, "COD-001")),
        (values.grade, "5", ("05", "COD-003")),
        (values.grade, "K", ("KN", None)),
        (values.grade, "tk", ("TK", None)),
        (values.grade, "13", (None, "COD-001")),
        (values.grade, "x", (None, "COD-001")),
        (values.race, "205", ("200", None)),
        (values.race, "399", ("300", None)),
        (values.race, "700", ("700", None)),
        (values.race, "Hispanic or Latino", ("500", None)),
        (values.race, "999", (None, None)),
        (values.race, "not reported", (None, None)),
        (values.race, "purple", (None, "COD-001")),
        (values.college_type, "2 - year", ("2-year", None)),
        (values.college_type, "5", (None, "COD-001")),
        (values.text, "x" * 121, (None, "TXT-001")),
        (values.text, "a\u202eb", (None, "TXT-001")),
    ],
)
def test_a_cell_becomes_our_own_form_or_a_code(parser, cell, read):
    assert parser(cell) == read


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("12", (12, None)),
        ("12.0", (12, None)),
        ("1,200", (None, "NUM-002")),
        ("171.50", (171.5, None)),
        ("-1", (None, "NUM-002")),
        ("1e5", (None, "NUM-001")),
        ("nan", (None, "NUM-001")),
        ("١٢", (None, "NUM-001")),
    ],
)
def test_a_number_is_read_within_its_limits(cell, read):
    assert values.number_parser(minimum=0, maximum=366, whole=False)(cell) == read


def test_a_whole_number_has_no_fraction():
    whole = values.number_parser(minimum=None, maximum=None, whole=True)

    assert (whole("7.0"), whole("7.5")) == ((7, None), (None, "NUM-001"))


def test_codes_are_matched_by_list_pattern_width_and_alias():
    listed = values.code_parser(codes=frozenset({"EL", "EO"}), aliases={"ADEL": "EL"})
    shaped = values.code_parser(pattern="[0-9]{7}", width=7)
    free = values.code_parser()

    assert (listed("EO"), listed("eo"), listed("ADEL"), listed("adel")) == (
        ("EO", None), ("EO", None), ("EL", None), ("EL", None),
    )  # fmt: skip
    assert listed("XX") == (None, "COD-001")
    assert (shaped("6111111"), shaped("123456"), shaped("x")) == (
        ("6111111", None), ("0123456", "COD-003"), (None, "COD-001"),
    )  # fmt: skip
    assert free("anything") == ("anything", None)
