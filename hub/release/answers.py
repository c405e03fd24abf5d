"""The bodies of answers: definitions, rows, notes and the sentence to cite; values in, values out."""

from collections.abc import Mapping
from dataclasses import asdict

from hub.errors import NotFound
from hub.languages import ENGLISH, Language
from hub.release.gaps import GapPoint
from hub.release.questions import Gaps, GapSeries, Observations, Pathway
from hub.release.service import Release
from hub.release.slices import HIDDEN_REASON, PROVISIONAL_REASON, RANGE_REASON, Cursor, PublishedCell
from hub.release.words import DISTRICT, dimension_title, indicator_title, level_label
from policies.catalogue_files import Catalogue
from policies.indicator_files import dimensions, indicators
from policies.indicator_sets import indicator_sets
from policies.organisation_files import organisations

Row = dict[str, object]
PUBLISHER = "Marin Promise Partnership, Promise Hub"
_DEFINITION_FIELDS = (
    "id", "version", "title", "outcome", "definition", "source", "cohort", "numerator", "denominator", "timing",
    "exclusions", "unknown", "attribution", "unit", "comparison", "cohort_year", "digest",
)  # fmt: skip


def indicator_card(indicator: str, catalogue: Catalogue) -> Row:
    """An indicator's definition in words and the splits that may be asked."""
    found = indicators().get(indicator)
    if found is None:
        raise NotFound("There is no definition of this indicator.", code="indicator-unknown")
    words: Row = {name: getattr(found, name) for name in _DEFINITION_FIELDS}
    tables = [
        {"table": table.name, "title": table.title, "by": list(table.dimensions), "audience": table.audience}
        for table in catalogue.tables[indicator]
    ]
    sets = indicator_sets()
    belongs: Row = {"set": sets.set_of(indicator), "toward": sets.toward(indicator), "better": found.better}
    return {**words, **belongs, "tables": tables}


def dimension_cards() -> list[Row]:
    """Every dimension with its closed list of levels."""
    cards: list[Row] = [
        {
            "id": found.id,
            "title": found.title,
            "definition": found.definition,
            "linked": found.linked,
            "levels": [{"id": level.id, "label": level.label, "parent": level.parent} for level in found.levels],
        }
        for found in dimensions().values()
    ]
    return [*cards, _district_card()]


def _district_card() -> Row:
    known = organisations()
    levels = [
        {"id": member.id, "label": level_label(DISTRICT, member.id), "parent": member.merge or member.area}
        for member in known.members
        if member.kind in ("county", "elementary", "high", "unified")
    ]
    return {
        "id": DISTRICT,
        "title": dimension_title(DISTRICT),
        "definition": "The district to which the definition attributes the student; small districts stand together.",
        "linked": False,
        "levels": levels,
    }


def observations_body(found: Observations, *, indicator: str, labels: bool, next_link: str | None) -> Row:
    """Rows of one table with notes and citation."""
    return {
        "release": found.release.id,
        "indicator": indicator,
        "table": found.table.name,
        "by": list(found.table.dimensions),
        "rows": observation_rows(found, labels=labels),
        "notes": list(found.notes),
        "citation": citation(indicator, release=found.release),
        "next": next_link,
    }


def observation_rows(found: Observations, *, labels: bool) -> list[Row]:
    """The tidy rows, with the words for their levels if wanted."""
    return [{**cell.row(found.release.id), **(_labels(cell) if labels else {})} for cell in found.cells]


def _labels(cell: PublishedCell) -> Mapping[str, str]:
    return {f"{name}_label": level_label(name, level) for name, level in cell.levels.items()}


def citation(indicator: str, *, release: Release, language: Language = ENGLISH) -> str:
    """One sentence by which the number can be found again: release, its entry in the audit log, definition."""
    found = indicators().get(indicator)
    said = [language.say("{publisher}, release {release}", publisher=PUBLISHER, release=release.id)]
    if release.log_entry is not None:
        said.append(" " + language.say("(log entry {number})", number=release.log_entry))
    said.append(f", “{indicator_title(indicator, language)}”")
    if found is not None:
        said.append(", " + language.say("definition version {version}", version=found.version))
    return f"{''.join(said)}."


def gap_rows(found: Gaps) -> list[Row]:
    """One row a gap and cohort year."""
    return [_gap_row(series, point, release=found.release.id) for series in found.series for point in series.points]


def _gap_row(series: GapSeries, point: GapPoint, *, release: str) -> Row:
    hidden = point.low is None
    told = RANGE_REASON if point.gap is None else ""
    if point.cohort_year in series.provisional_years:
        told = PROVISIONAL_REASON
    return {
        "indicator": series.indicator,
        "pair": series.pair.name,
        "cohort_year": point.cohort_year,
        "reference": series.pair.reference,
        "reference_rate": point.reference.rate,
        "group": series.pair.group,
        "group_rate": point.group.rate,
        "gap": point.gap,
        "gap_low": point.low,
        "gap_high": point.high,
        "status": "C" if hidden else "F",
        "status_reason": HIDDEN_REASON if hidden else told,
        "release": release,
    }


def gaps_body(found: Gaps) -> Row:
    """The gaps with the pace that each needs and makes."""
    return {
        "release": found.release.id,
        "target_year": found.target_year,
        "pace": [
            {"indicator": series.indicator, "pair": series.pair.name, **asdict(series.pace)} for series in found.series
        ],
        "rows": gap_rows(found),
        "notes": [
            "A gap is the reference group's rate minus the group's, in points; it describes what systems provide.",
            "Paces are points a year; a negative pace narrows. gap_low and gap_high bound the gap (95 %).",
        ],
    }


def pathway_rows(found: Pathway) -> list[Row]:
    """One row an outcome."""
    return [{**asdict(stage), "preschool": found.preschool, "release": found.release.id} for stage in found.stages]


def pathway_body(found: Pathway) -> Row:
    """A class through the outcomes."""
    return {
        "release": found.release.id,
        "kindergarten_year": found.kindergarten_year,
        "preschool": found.preschool,
        "rows": pathway_rows(found),
        "notes": [
            "Each outcome is that of the class expected in its year: children who moved in or away differ.",
            "Not observed is not the same as not reached.",
        ],
    }


def release_row(release: Release) -> Row:
    """What may be told about a release as a whole."""
    return {
        "id": release.id,
        "state": release.state,
        "published_at": None if release.published_at is None else release.published_at.isoformat(timespec="seconds"),
        "catalogue_version": release.catalogue_version,
        "content_sha256": release.content_sha256,
        "shown": release.shown,
        "withheld": release.withheld,
    }


def cursor_text(cursor: Cursor | None) -> str | None:
    """The place in the form of the `after` parameter."""
    return None if cursor is None else f"{cursor.cohort_year}.{cursor.vintage}.{cursor.ordinal}"
