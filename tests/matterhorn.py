"""Reads a PDF by the Matterhorn Protocol 1.1 (PDF Association): which failure conditions of PDF/UA-1 it meets.

Of the conditions that a machine can check, those of what a printed card holds: text, drawings, tables, lists, fonts.
What such a file has none of (forms, notes, sounds, attachments, layers, encryption) is checked to be absent, so that
its conditions cannot be met. Not checked: widths and glyphs of the font programs (31-011 to 31-017, 31-030).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise

import pypdf
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    ContentStream,
    DictionaryObject,
    IndirectObject,
    TextStringObject,
)

STANDARD = frozenset((
    "Document", "Part", "Art", "Sect", "Div", "BlockQuote", "Caption", "TOC", "TOCI", "Index", "NonStruct",
    "Private", "P", "H", "H1", "H2", "H3", "H4", "H5", "H6", "L", "LI", "Lbl", "LBody", "Table", "TR", "TH", "TD",
    "THead", "TBody", "TFoot", "Span", "Quote", "Note", "Reference", "BibEntry", "Code", "Link", "Annot", "Ruby",
    "RB", "RT", "RP", "Warichu", "WT", "WP", "Figure", "Formula", "Form",
))  # fmt: skip
CHILDREN = {
    "Table": {"TR", "THead", "TBody", "TFoot", "Caption"}, "THead": {"TR"}, "TBody": {"TR"}, "TFoot": {"TR"},
    "TR": {"TH", "TD"}, "L": {"L", "LI", "Caption"}, "LI": {"Lbl", "LBody"}, "TOC": {"TOC", "TOCI", "Caption"},
}  # fmt: skip
PARENTS = {
    "TR": {"Table", "THead", "TBody", "TFoot"}, "TH": {"TR"}, "TD": {"TR"}, "THead": {"Table"}, "TBody": {"Table"},
    "TFoot": {"Table"}, "LI": {"L"}, "LBody": {"LI"}, "TOCI": {"TOC"},
}  # fmt: skip
SYNTAX = {"L": "09-005", "LI": "09-005", "LBody": "09-005", "TOC": "09-006", "TOCI": "09-006"}
PAINTING = frozenset(("Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "INLINE IMAGE"))


@dataclass(frozen=True)
class Element:
    """One element of the structure, as its standard type."""

    kind: str
    node: DictionaryObject
    parent: str
    children: tuple[str, ...]


@dataclass
class Read:
    """What was read of a file: failures by condition, its elements and its marked content."""

    failures: list[tuple[str, str]] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)

    def fail(self, condition: str, words: str) -> None:
        self.failures.append((condition, words))


def failures(content: bytes) -> list[tuple[str, str]]:
    """Every failure condition that the file meets, with what was found; none where it keeps the protocol."""
    file, read = pypdf.PdfReader(BytesIO(content)), Read()
    root = file.trailer["/Root"].get_object()
    _document(file, root, read)
    roles = _roles(root, read)
    top = root["/StructTreeRoot"]["/K"]
    read.elements = list(_elements(top, parent="", roles=roles))
    _structure(read)
    _headings([one.kind for one in read.elements if re.fullmatch("H[1-6]?", one.kind)], read)
    owners = _owners(root["/StructTreeRoot"]["/ParentTree"].get_object())
    used: Counter[int] = Counter()
    for page in file.pages:
        if page.get("/Annots") is not None:
            read.fail("28-002", "an annotation, which is not checked further")
        if page.get("/Tabs", "/S") != "/S":
            read.fail("28-009", f"tab order {page['/Tabs']}")
        _content(page, page.get_contents(), owners.get(page.get("/StructParents"), {}), read=read, used=used, file=file)
    if any(count > 1 for count in used.values()):
        read.fail("30-002", "tagged content drawn twice")
    return read.failures


def _document(file: pypdf.PdfReader, root: DictionaryObject, read: Read) -> None:
    """What stands in the catalog and its metadata; a boolean of the file is an object that is always true to `if`."""
    xmp = root.get("/Metadata")
    text = xmp.get_object().get_data().decode() if xmp is not None else ""
    view, marks = root.get("/ViewerPreferences", {}), root.get("/MarkInfo", {})
    names, outlines = root.get("/Names", {}), _outline_languages(root)
    for condition, met, words in (
        ("06-001", not text, "no metadata"),
        ("06-002", not re.search(r"pdfuaid:part(>|=\")1\b", text), "not said to be PDF/UA-1"),
        ("06-003", not re.search(r"<dc:title>.*?<rdf:li[^>]*>[^<]+<", text, re.DOTALL), "no title in the metadata"),
        ("07-001", "/DisplayDocTitle" not in view, "not said whether the title is shown"),
        ("07-002", view.get("/DisplayDocTitle") == False, "the title is not shown"),  # noqa: E712
        ("01-007", marks.get("/Suspects") == True, "suspects"),  # noqa: E712
        ("01-005", marks.get("/Marked") != True, "not marked"),  # noqa: E712
        ("11-001", not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", str(root.get("/Lang", ""))), "no language"),
        ("11-003", not outlines, "an outline without language"),
        ("24-001", "/AcroForm" in root, "a form"),
        ("20-001", "/OCProperties" in root, "layers"),
        ("21-001", not all({"/F", "/UF"} <= set(one) for one in _attached(names)), "an attachment without its name"),
        ("26-001", "/Encrypt" in file.trailer, "encrypted"),
    ):
        if met:
            read.fail(condition, words)


def _attached(names: DictionaryObject) -> Iterator[DictionaryObject]:
    """Each file that is carried inside."""
    tree = names.get("/EmbeddedFiles", DictionaryObject()).get_object()
    for branch in [tree, *(kid.get_object() for kid in tree.get("/Kids", ()))]:
        yield from (one.get_object() for one in branch.get("/Names", ArrayObject())[1::2])


def _outline_languages(root: DictionaryObject) -> bool:
    return "/Outlines" not in root or "/Lang" in root


def _roles(root: DictionaryObject, read: Read) -> dict[str, str]:
    """The mapping of types to standard ones."""
    told = {key[1:]: str(value)[1:] for key, value in root["/StructTreeRoot"].get("/RoleMap", {}).items()}
    found = {}
    for name, first in told.items():
        seen, at = [name], first
        while at not in STANDARD and at in told and at not in seen:
            seen, at = [*seen, at], told[at]
        if name in STANDARD:
            read.fail("02-004", f"{name} is mapped")
        if at in seen:
            read.fail("02-003", f"{name} is mapped in a circle")
        elif at not in STANDARD:
            read.fail("02-001", f"{name} is mapped to {at}")
        found[name] = at
    return found


def _elements(node: object, *, parent: str, roles: dict[str, str]) -> Iterator[Element]:
    """Every element below a node, a parent before its children."""
    node = node.get_object() if isinstance(node, IndirectObject) else node
    if isinstance(node, ArrayObject):
        for one in node:
            yield from _elements(one, parent=parent, roles=roles)
    elif isinstance(node, DictionaryObject) and "/S" in node:
        kind = str(node["/S"])[1:]
        kind = roles.get(kind, kind)
        yield Element(kind, node, parent, tuple(_kinds(node.get("/K"), roles)))
        yield from _elements(node.get("/K", ArrayObject()), parent=kind, roles=roles)


def _kinds(node: object, roles: dict[str, str]) -> Iterator[str]:
    node = node.get_object() if isinstance(node, IndirectObject) else node
    for one in node if isinstance(node, ArrayObject) else [node]:
        told = one.get_object() if isinstance(one, IndirectObject) else one
        if isinstance(told, DictionaryObject) and "/S" in told:
            kind = str(told["/S"])[1:]
            yield roles.get(kind, kind)


def _structure(read: Read) -> None:
    """Types, nesting, words for figures, headers of tables."""
    ids = {str(one.node["/ID"]) for one in read.elements if "/ID" in one.node}
    for one in read.elements:
        if one.kind not in STANDARD:
            read.fail("02-001", f"{one.kind} is no standard type")
        if one.kind in ("Note", "Formula", "Ruby", "Warichu", "Form", "Annot"):
            read.fail("19-003", f"{one.kind}, which is not checked further")
        strange = set(one.children) - CHILDREN[one.kind] if one.kind in CHILDREN else set()
        if strange or (one.kind in PARENTS and one.parent not in PARENTS[one.kind]):
            read.fail(SYNTAX.get(one.kind, "09-004"), f"{one.kind} in {one.parent} holds {sorted(strange)}")
        if one.kind == "Table" and (one.children.count("THead") > 1 or one.children.count("TFoot") > 1):
            read.fail("09-004", "two heads in one table")
        if one.kind == "Figure" and not (one.node.get("/Alt") or one.node.get("/ActualText")):
            read.fail("13-004", "a figure without words")
        if one.kind in ("TH", "TD"):
            _cell(one, ids, read)


def _cell(one: Element, ids: set[str], read: Read) -> None:
    told = one.node.get("/A", ArrayObject())
    told = told.get_object() if isinstance(told, IndirectObject) else told
    attributes = [entry.get_object() for entry in (told if isinstance(told, ArrayObject) else [told])]
    scopes = [entry["/Scope"] for entry in attributes if isinstance(entry, DictionaryObject) and "/Scope" in entry]
    named = [name for entry in attributes if isinstance(entry, DictionaryObject) for name in entry.get("/Headers", ())]
    if one.kind == "TH" and not scopes:
        read.fail("15-003", "a header cell without scope")
    if any(str(name) not in ids for name in named):
        read.fail("15-003", "a cell names a header that there is not")


def _headings(kinds: list[str], read: Read) -> None:
    if {"H"} < set(kinds):
        read.fail("14-007", "H beside numbered headings")
    levels = [int(kind[1]) for kind in kinds if kind != "H"]
    if levels and levels[0] != 1:
        read.fail("14-002", f"the first heading is of level {levels[0]}")
    for before, level in pairwise(levels):
        if level > before + 1:
            read.fail("14-003", f"a heading of level {level} after {before}")


def _owners(tree: DictionaryObject) -> dict[int, dict[int, object]]:
    """By structure number of a page or drawing the element of each piece of its content."""
    found = {}
    for branch in [tree, *(kid.get_object() for kid in tree.get("/Kids", ()))]:
        told = branch.get("/Nums", ArrayObject())
        for number, entry in zip(told[::2], (one.get_object() for one in told[1::2]), strict=True):
            found[int(number)] = dict(enumerate(entry)) if isinstance(entry, ArrayObject) else {}
    return found


def _content(holder: DictionaryObject, stream: object, owners: dict[int, object], *, read: Read, used: Counter[int],
             file: pypdf.PdfReader, covered: bool = False) -> None:  # fmt: skip
    """Whether all that is painted is tagged or an artifact, and every letter has its sign."""
    resources = holder["/Resources"].get_object()
    drawings, fonts = resources.get("/XObject", {}), resources.get("/Font", {})
    marks: list[str] = []
    letters: dict[str, int] = {}
    codes: dict[int, str] = {}
    for operands, coded in ContentStream(stream, file).operations:
        operator = coded.decode()
        if operator in ("BDC", "BMC"):
            marks.append(_mark(operands, owners, marks, read))
        elif operator == "EMC":
            marks.pop()
        elif operator == "Tf":
            codes = _signs(fonts[operands[0]].get_object(), read)
        elif operator == "Do":
            drawn = drawings[operands[0]].get_object()
            _drawing(drawn, covered or bool(set(marks) & {"tagged", "artifact"}), read=read, used=used, file=file)
        if operator in PAINTING and not covered and not set(marks) & {"tagged", "artifact"}:
            read.fail("01-005", f"{operator} is neither tagged nor an artifact")
        if operator in ("Tj", "TJ", "'", '"'):
            letters.update(dict.fromkeys((str(code) for code in _codes(operands) if code not in codes), 1))
    if letters:
        read.fail("10-001", f"{len(letters)} letters without a sign")


def _mark(operands: list, owners: dict[int, object], marks: list[str], read: Read) -> str:
    told = operands[1] if len(operands) > 1 else {}
    if operands[0] == "/Artifact":
        if "tagged" in marks:
            read.fail("01-003", "an artifact inside tagged content")
        return "artifact"
    if isinstance(told, DictionaryObject) and "/MCID" in told:
        if "artifact" in marks:
            read.fail("01-004", "tagged content inside an artifact")
        if owners.get(int(told["/MCID"])) is None:
            read.fail("01-005", "marked content that no element owns")
        return "tagged"
    return "plain"


def _drawing(drawn: DictionaryObject, covered: bool, *, read: Read, used: Counter[int], file: pypdf.PdfReader) -> None:
    if drawn["/Subtype"] == "/Image":
        if not covered:
            read.fail("01-005", "a picture that is neither tagged nor an artifact")
        return
    if "/Ref" in drawn:
        read.fail("30-001", "a drawing that stands in another file")
    if "/StructParents" in drawn:
        used[id(drawn)] += 1
    _content(drawn, drawn, {}, read=read, used=used, file=file, covered=covered)


def _signs(font: DictionaryObject, read: Read) -> dict[int, str]:
    """The sign of each code of a font; what is wrong about the font is told."""
    inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
    descriptor = inner.get("/FontDescriptor", DictionaryObject()).get_object()
    system = inner.get("/CIDSystemInfo", {})
    if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor):
        read.fail("31-009", "a font that is not embedded")
    if font["/Subtype"] == "/Type0" and font["/Encoding"] not in ("/Identity-H", "/Identity-V"):
        read.fail("31-006", f"encoding {font['/Encoding']}")
    if font["/Subtype"] == "/Type0" and not {"/Registry", "/Ordering", "/Supplement"} <= set(system):
        read.fail("31-001", "a font without its character collection")
    if inner["/Subtype"] == "/CIDFontType2" and "/CIDToGIDMap" not in inner:
        read.fail("31-004", "letters without their glyphs")
    if "/ToUnicode" not in font:
        read.fail("31-027", "a font without signs")
        return {}
    signs = dict(_read_signs(font["/ToUnicode"].get_object().get_data().decode("latin-1")))
    if any(sign in ("\0", "\ufeff", "\ufffe") for sign in signs.values()):
        read.fail("31-028", "a letter whose sign is none")
    return signs


def _read_signs(text: str) -> Iterator[tuple[int, str]]:
    for block in re.findall(r"beginbfchar(.*?)endbfchar", text, re.DOTALL):
        for code, sign in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            yield int(code, 16), bytes.fromhex(sign).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", text, re.DOTALL):
        for first, last, sign in re.findall(r"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                yield int(first, 16) + step, chr(ord(bytes.fromhex(sign).decode("utf-16-be")[-1]) + step)


def _codes(operands: list) -> Iterator[int]:
    """The codes of two bytes each that a piece of text shows."""
    for one in operands:
        if isinstance(one, ArrayObject):
            yield from _codes(list(one))
        elif isinstance(one, TextStringObject | ByteStringObject):
            shown = one.original_bytes if isinstance(one, TextStringObject) else bytes(one)
            yield from (shown[at] * 256 + shown[at + 1] for at in range(0, len(shown) - 1, 2))
