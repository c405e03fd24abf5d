"""Every message that a public page may say, gathered from code, templates and the files of rules."""

from pathlib import Path

from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).parents[1]
KEYWORDS = {"say": None, "message": None, "say_many": (1, 2)}
DEFINITION = (
    "title", "definition", "source", "cohort", "numerator", "denominator", "timing", "exclusions", "unknown",
    "attribution", "unit", "comparison", "better",
)  # fmt: skip


def written_messages():
    """The messages that code and templates write out, each with where it stands."""
    found = {}
    options = {"**.html": {"extensions": "", "newstyle_gettext": "false"}}
    methods = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
    for folder, line, told, _, _ in extract_from_dir(
        ROOT / "hub", method_map=methods, options_map=options, keywords=KEYWORDS
    ):
        found.setdefault(told, f"hub/{folder}:{line}")
    return found


def messages_of_rules():
    """The words of indicators, dimensions and the catalogue, as pages show them."""
    from policies.catalogue_files import catalogue
    from policies.indicator_files import dimensions, indicators
    from policies.organisation_files import organisations
    from policies.voices import SPEAKERS

    words = [getattr(one, name) for one in indicators().values() for name in DEFINITION]
    for one in dimensions().values():
        words += [one.title, *one.labels.values()]
    words += [table.title for tables in catalogue().tables.values() for table in tables]
    words += [pair.title for pair in catalogue().gaps]
    words += [label for _, label in dict(organisations().merges).items()]
    words += SPEAKERS.values()
    return dict.fromkeys((word for word in words if word), "policies")
