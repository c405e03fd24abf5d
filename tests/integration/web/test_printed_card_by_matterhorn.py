"""The printed card meets none of the failure conditions of PDF/UA-1 that the checker knows; the checker finds each."""

from io import BytesIO

import pypdf
import pytest
from pypdf.generic import BooleanObject, DictionaryObject, NameObject

from tests.matterhorn import failures


@pytest.fixture(scope="module")
def printed(served):
    import httpx

    with httpx.Client(base_url=served.url, trust_env=False) as client:
        return {code: client.get("/report.pdf", params={"lang": code}).content for code in ("en", "es")}


@pytest.mark.parametrize("code", ["en", "es"])
def test_no_condition_of_failure_is_met(printed, code):
    assert failures(printed[code]) == []


def kinds(node, kind):
    """The elements of one kind below a node."""
    node = node.get_object()
    if isinstance(node, list):
        return [found for one in node for found in kinds(one, kind)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("/S") == f"/{kind}" else []
    return own + (kinds(node["/K"], kind) if "/K" in node else [])


def without(name, of=lambda root: root):
    def spoil(writer):
        del of(writer.root_object)[name]

    return spoil


def renamed(kind, other):
    def spoil(writer):
        kinds(writer.root_object["/StructTreeRoot"]["/K"], kind)[0][NameObject("/S")] = NameObject(f"/{other}")

    return spoil


def unworded(writer):
    del kinds(writer.root_object["/StructTreeRoot"]["/K"], "Figure")[0]["/Alt"]


def unscoped(writer):
    del kinds(writer.root_object["/StructTreeRoot"]["/K"], "TH")[0]["/A"][0]["/Scope"]


def painted(before, after=b""):
    """A line painted before all else, and what is put behind it."""

    def spoil(writer):
        page = writer.pages[0]
        content = page.get_contents()
        content.set_data(before + content.get_data() + after)
        page[NameObject("/Contents")] = writer._add_object(content)

    return spoil


def unsigned(writer):
    del next(iter(writer.pages[0]["/Resources"]["/Font"].values())).get_object()["/ToUnicode"]


def unembedded(writer):
    font = next(iter(writer.pages[0]["/Resources"]["/Font"].values())).get_object()
    del font["/DescendantFonts"][0].get_object()["/FontDescriptor"]["/FontFile3"]


def untitled(writer):
    writer.root_object["/ViewerPreferences"][NameObject("/DisplayDocTitle")] = BooleanObject(False)


def remapped(writer):
    roles = writer.root_object["/StructTreeRoot"]["/RoleMap"]
    roles[NameObject("/P")] = NameObject("/Span")


def circled(writer):
    roles = writer.root_object["/StructTreeRoot"]["/RoleMap"]
    roles[NameObject("/One")], roles[NameObject("/Two")] = NameObject("/Two"), NameObject("/One")


def layered(writer):
    writer.root_object[NameObject("/OCProperties")] = DictionaryObject()


@pytest.mark.parametrize(
    ("condition", "spoil"),
    [
        ("01-003", painted(b"/Span<</MCID 0>>BDC /Artifact BMC EMC EMC ")),
        ("01-004", painted(b"/Artifact BMC /Span<</MCID 0>>BDC EMC EMC ")),
        ("01-005", painted(b"0 0 m 9 9 l S ")),
        ("02-001", renamed("P", "Marrow")),
        ("02-003", circled),
        ("02-004", remapped),
        ("06-001", without("/Metadata")),
        ("07-001", without("/DisplayDocTitle", of=lambda root: root["/ViewerPreferences"])),
        ("07-002", untitled),
        ("09-004", renamed("TR", "P")),
        ("11-001", without("/Lang")),
        ("13-004", unworded),
        ("14-002", renamed("H1", "H2")),
        ("14-003", renamed("H2", "H4")),
        ("15-003", unscoped),
        ("20-001", layered),
        ("31-009", unembedded),
        ("31-027", unsigned),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_spoiled_copy_is_found(printed, condition, spoil):
    writer = pypdf.PdfWriter(clone_from=BytesIO(printed["en"]))
    spoil(writer)
    written = BytesIO()
    writer.write(written)

    assert condition in {found for found, _ in failures(written.getvalue())}
