"""What a release proves of the partnership's results, for its network: outcomes kept or improved, gaps narrowed.

Made of released public cells alone: the newest final figure beside the one about three years before, as the report
card measures pace. What is hidden cannot be told; unknown is neither for nor against.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from hub.languages import ENGLISH, Language, message
from hub.release.answers import citation
from hub.release.gaps import GapPoint, year_before
from hub.release.questions import GapSeries, gap_series
from hub.release.sentences import gap_words, minus
from hub.release.service import Release
from hub.release.slices import PublishedCell, Slice, read_slice
from hub.release.words import indicator_title, rate_untold, rate_words
from policies.catalogue_files import Catalogue
from policies.evidence import (
    KEPT,
    Ends,
    EvidenceStage,
    GapVerdict,
    OutcomeVerdict,
    StageVerdict,
    evidence_rules,
    judge_gap,
    judge_outcome,
    judge_stage,
)
from policies.indicator_files import indicators
from policies.indicator_sets import indicator_sets

VERDICTS = (
    message("improved"), message("maintained"), message("maintained or improved"), message("declined"),
    message("narrowed"), message("unchanged"), message("widened"), message("still closed"), message("cannot be told"),
    message("reached"), message("not reached"),
)  # fmt: skip
TITLES = (message("Proof point"), message("Systems transformation"))


@dataclass(frozen=True)
class Moment:
    """A figure of one year in words."""

    year: int
    words: str


@dataclass(frozen=True)
class OutcomeEvidence:
    """One core outcome: what it was, what it is, and how it went."""

    indicator: str
    title: str
    before: Moment | None
    after: Moment | None
    change: str
    verdict: OutcomeVerdict
    citation: str
    query: str


@dataclass(frozen=True)
class GapEvidence:
    """One gap of a core outcome: what it was, what it is, and how it went."""

    indicator: str
    title: str
    pair: str
    before: Moment | None
    after: Moment | None
    verdict: GapVerdict
    citation: str
    query: str


@dataclass(frozen=True)
class StageEvidence:
    """A designation: the counts that it asks for, those that are shown, and what follows."""

    stage: EvidenceStage
    outcomes: StageVerdict
    gaps: StageVerdict


@dataclass(frozen=True)
class Evidence:
    """All of a release's evidence, from figures up to the year `until`; None where all are read.

    `years`: those whose figures an outcome tells, newest first, from which one may choose.
    """

    release: Release
    until: int | None
    years: tuple[int, ...]
    outcomes: tuple[OutcomeEvidence, ...]
    gaps: tuple[GapEvidence, ...]
    stages: tuple[StageEvidence, ...]

    @property
    def kept(self) -> int:
        """How many outcomes were maintained or improved for certain."""
        return sum(one.verdict in KEPT for one in self.outcomes)

    @property
    def narrowed(self) -> int:
        """How many gaps narrowed for certain."""
        return sum(one.verdict == "narrowed" for one in self.gaps)

    @property
    def untold_outcomes(self) -> int:
        """Of how many outcomes it cannot be told."""
        return sum(one.verdict == "cannot be told" for one in self.outcomes)

    @property
    def untold_gaps(self) -> int:
        """Of how many gaps it cannot be told."""
        return sum(one.verdict == "cannot be told" for one in self.gaps)


def evidence(
    session: Session,
    release: Release,
    *,
    catalogue: Catalogue,
    until: int | None = None,
    language: Language = ENGLISH,
) -> Evidence:
    """The evidence of a release, from its public tables; with `until` as it stood with figures up to that year."""
    core = indicator_sets().core
    told = {one: _told_totals(session, release, one) for one in core}
    outcomes = tuple(
        _outcome(release, one, _up_to(told[one], until), pace_years=catalogue.pace_years, language=language)
        for one in core
    )
    gaps = tuple(
        _gap(
            gap_series(session, release.id, indicator=one, pair=pair, catalogue=catalogue),
            release,
            years=catalogue.pace_years,
            until=until,
            language=language,
        )
        for one in core
        for pair in catalogue.gaps
        if catalogue.table(one, name=pair.table) is not None
    )
    stages = tuple(_stage(one, outcomes, gaps=gaps) for one in evidence_rules().stages)
    years = tuple(sorted({year for totals in told.values() for year in totals}, reverse=True))
    return Evidence(release, until, years, outcomes, gaps, stages)


def _told_totals(session: Session, release: Release, indicator: str) -> dict[int, PublishedCell]:
    """By year the final figure of all students, where it is told."""
    totals = read_slice(session, release.id, wanted=Slice(indicator, "total")).cells
    return {cell.cohort_year: cell for cell in totals if not cell.provisional and not rate_untold(cell)}


def _up_to(told: dict[int, PublishedCell], until: int | None) -> dict[int, PublishedCell]:
    return {year: cell for year, cell in told.items() if until is None or year <= until}


def _outcome(
    release: Release, indicator: str, told: dict[int, PublishedCell], *, pace_years: int, language: Language
) -> OutcomeEvidence:
    before, after = _moments(told, pace_years=pace_years)
    better = indicators()[indicator].better
    return OutcomeEvidence(
        indicator=indicator,
        title=indicator_title(indicator, language),
        before=None if before is None else Moment(before.cohort_year, rate_words(before, language)),
        after=None if after is None else Moment(after.cohort_year, rate_words(after, language)),
        change=_change(before, after),
        verdict=judge_outcome(_rate_ends(before), _rate_ends(after), better=better),
        citation=citation(indicator, release=release, language=language),
        query=f"/v1/observations?indicator={indicator}&release={release.id}",
    )


def _moments(told: dict[int, PublishedCell], *, pace_years: int) -> tuple[PublishedCell | None, PublishedCell | None]:
    if not told:
        return None, None
    latest = max(told)
    since = year_before(told, latest=latest, pace_years=pace_years)
    return None if since is None else told[since], told[latest]


def _change(before: PublishedCell | None, after: PublishedCell | None) -> str:
    if before is None or after is None or before.rate is None or after.rate is None:
        return ""
    change = after.rate - before.rate
    return f"+{change}" if change > 0 else minus(change)


def _rate_ends(cell: PublishedCell | None) -> Ends | None:
    if cell is None:
        return None
    if cell.rate is not None:
        return Ends(cell.rate, cell.rate)
    if cell.rate_low is None or cell.rate_high is None:
        return None
    return Ends(cell.rate_low, cell.rate_high)


def _gap(series: GapSeries, release: Release, *, years: int, until: int | None, language: Language) -> GapEvidence:
    told = {
        point.cohort_year: point
        for point in series.points
        if point.cohort_year not in series.provisional_years
        and _gap_ends(point) is not None
        and (until is None or point.cohort_year <= until)
    }
    latest = max(told, default=None)
    since = None if latest is None else year_before(told, latest=latest, pace_years=years)
    before, after = told.get(since or 0), told.get(latest or 0)
    return GapEvidence(
        indicator=series.indicator,
        title=indicator_title(series.indicator, language),
        pair=language.say(series.pair.title),
        before=None if before is None else Moment(before.cohort_year, gap_words(before, language)),
        after=None if after is None else Moment(after.cohort_year, gap_words(after, language)),
        verdict=judge_gap(_gap_ends(before), _gap_ends(after)),
        citation=citation(series.indicator, release=release, language=language),
        query=f"/v1/gaps?indicator={series.indicator}&pair={series.pair.name}&release={release.id}",
    )


def _gap_ends(point: GapPoint | None) -> Ends | None:
    """The ends of what is told of a gap: itself, or the range that two ranges leave. Chance is another matter."""
    if point is None:
        return None
    if point.gap is not None:
        return Ends(point.gap, point.gap)
    return None if point.low is None or point.high is None else Ends(point.low, point.high)


def _stage(stage: EvidenceStage, outcomes: Sequence[OutcomeEvidence], *, gaps: Sequence[GapEvidence]) -> StageEvidence:
    return StageEvidence(
        stage,
        judge_stage(
            stage.outcomes, [None if one.verdict == "cannot be told" else one.verdict in KEPT for one in outcomes]
        ),
        judge_stage(
            stage.gaps, [None if one.verdict == "cannot be told" else one.verdict == "narrowed" for one in gaps]
        ),
    )
