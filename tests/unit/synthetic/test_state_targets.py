"""The state's public files calibrate the synthetic county where they are given."""

import pytest

from connectors.errors import FileRefusedError
from connectors.synthetic.calibration import load_calibration
from connectors.synthetic.state_targets import calibrated_to, read_targets

HEADER = (
    "County Code^District Code^School Code^Filler^Test Year^Test Type^Test ID^Student Group ID^Grade^"
    "Total Students Tested with Scores^Percentage Standard Met and Above\n"
)


def test_a_published_figure_takes_the_place_of_the_written_one_and_others_stay(tmp_path) -> None:
    file = tmp_path / "sb_ca2023_all_csv_v1.txt"
    file.write_text(HEADER + "21^00000^0000000^^2023^B^1^1^3^2000^61.7\n", "utf-8")
    written = load_calibration()

    found = calibrated_to(written, read_targets([file]))

    reading = found.figures["third-grade-reading"]
    assert (reading.value, reading.year, reading.assumed) == (0.617, 2023, False)
    assert found["upc"] == written["upc"]
    assert calibrated_to(written, {}) == written


def test_a_file_of_another_layout_is_refused(tmp_path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n", "utf-8")

    with pytest.raises(FileRefusedError, match=r"other\.csv: no line near the top"):
        read_targets([file])
