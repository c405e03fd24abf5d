"""The public pages in each language over real HTTP, the printed card, the evidence and the quality of the links."""

import re
from html.parser import HTMLParser
from io import BytesIO

import httpx
import pypdf
import pytest

from policies.principal import Role
from tests.integration.web.conftest import LICENCE

SPOKEN = ("/", "/report", "/explorer?by=race", "/pathway", "/definitions", "/evidence", "/link-quality")
ENGLISH_WORDS = frozenset(
    {"the", "of", "and", "is", "are", "was", "were", "with", "from", "which", "that", "this", "those", "their", "they",
     "who", "whom", "where", "when", "what", "how", "every", "each", "year", "years", "hidden", "students", "children",
     "gap", "counted", "told", "released", "group", "groups"}
)  # fmt: skip
TITLES = ("aria-label", "title", "alt", "placeholder")


class Spanish(HTMLParser):
    """The words of a page that a reader meets in Spanish: what is marked as another language is left out."""

    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag not in ("meta", "link", "input", "br", "img", "hr"):
            self.open.append((tag, found.get("lang", "es" if not self.open else self.open[-1][1])))
        told = found.get("lang", self.open[-1][1] if self.open else "es")
        if told == "es":
            self.words += [found[name] or "" for name in TITLES if name in found]

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self.open and self.open[-1][1] == "es" and self.open[-1][0] not in ("style", "code"):
            self.words.append(data)


def spanish_words(html):
    reader = Spanish()
    reader.feed(html)
    told = " ".join(reader.words).replace("College of Marin", "").replace("Office of Education", "")
    return [word.lower() for word in re.findall(r"[A-Za-zÁ-ú]+", told)]


@pytest.mark.parametrize("path", SPOKEN)
def test_a_public_page_in_spanish_holds_no_english_sentence(public: httpx.Client, path: str) -> None:
    answer = public.get(path, params={**httpx.URL(path).params, "lang": "es"})

    assert answer.status_code == 200
    assert answer.headers["content-language"] == "es"
    assert '<html lang="es">' in answer.text
    assert sorted(ENGLISH_WORDS & set(spanish_words(answer.text))) == []


@pytest.mark.parametrize("path", SPOKEN)
def test_the_browser_s_wish_is_heard_and_the_address_goes_before_it(public: httpx.Client, path: str) -> None:
    params = httpx.URL(path).params
    wished = public.get(path, params=params, headers={"Accept-Language": "es-MX,es;q=0.9"})
    named = public.get(path, params={**params, "lang": "en"}, headers={"Accept-Language": "es"})

    assert [one.headers["content-language"] for one in (wished, named)] == ["es", "en"]
    assert 'hreflang="es"' in named.text
    assert wished.headers["vary"] == "Accept-Language"


def test_links_of_a_page_stay_in_the_language_that_was_asked(public: httpx.Client) -> None:
    answer = public.get("/", params={"lang": "es"})

    links = re.findall(r'<a href="(/[^"#]*)"', answer.text)
    assert {"/report?lang=es", "/evidence?lang=es", "/sign-in", "/?lang=en"} <= set(links)


def test_the_printed_card_is_two_tagged_pages_with_title_language_and_words_for_charts(public: httpx.Client) -> None:
    for code in ("en", "es"):
        answer = public.get("/report.pdf", params={"lang": code})
        read = pypdf.PdfReader(BytesIO(answer.content))
        root = read.trailer["/Root"]
        tags = tags_of(root["/StructTreeRoot"])

        assert answer.headers["content-type"] == "application/pdf"
        assert len(read.pages) == 2
        assert (root["/Lang"], root["/MarkInfo"]["/Marked"], root["/ViewerPreferences"]["/DisplayDocTitle"]) == (
            code, True, True,
        )  # fmt: skip
        assert "2026-11-22.1" in str(read.metadata.title)
        assert b"<pdfuaid:part>1</pdfuaid:part>" in read.xmp_metadata.stream.get_data()
        names = [name for name, _ in tags]
        assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= set(names)
        assert all(alt for name, alt in tags if name == "/Figure")


def tags_of(node, found=None):
    found = [] if found is None else found
    if isinstance(node, pypdf.generic.IndirectObject):
        node = node.get_object()
    if isinstance(node, pypdf.generic.ArrayObject):
        for one in node:
            tags_of(one, found)
    elif isinstance(node, pypdf.generic.DictionaryObject):
        if "/S" in node:
            found.append((node["/S"], node.get("/Alt")))
        if "/K" in node:
            tags_of(node["/K"], found)
    return found


def test_the_printed_card_is_named_by_its_content_and_the_same_each_time(public: httpx.Client) -> None:
    first, second = (public.get("/report.pdf") for _ in range(2))

    assert first.content == second.content
    assert first.headers["etag"].strip('"')[:12] in first.headers["content-disposition"]
    text = printed_text(first.content)
    digest = re.search(r"content\s+([0-9a-f]{64})", text)
    assert digest is not None
    assert public.get("/v1/releases/2026-11-22.1").json()["content_sha256"] == digest[1]


def printed_text(content):
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)


def test_the_printed_card_tells_the_numbers_of_the_page(public: httpx.Client) -> None:
    page, printed = public.get("/report").text, printed_text(public.get("/report.pdf").content)
    latest = public.get("/v1/observations", params={"indicator": "third-grade-reading", "cohort": "2026"}).json()

    assert f"{latest['rows'][0]['rate']} %" in printed
    assert "80 % or more" in page and "80 % or more" in printed
    assert "26 (2026)" in printed
    assert "not on pace" in printed
    assert re.search(r"Pacific Islander\s+–\s+hidden", printed)


def test_the_evidence_counts_what_is_told_and_leaves_open_what_is_not(public: httpx.Client) -> None:
    answer = public.get("/evidence")

    text = re.sub(r"<[^>]+>", " ", answer.text)
    told = re.sub(r"\s+", " ", text)
    assert "1 of 7 core outcomes were maintained or improved; of 6 it cannot be told." in told
    assert "1 of 14 gaps narrowed; of 13 it cannot be told." in told
    assert "1 of 4 asked: cannot be told" in told
    assert "Third grade reading 60 % (2023) 60 % (2026) 0 maintained CSV" in told
    assert "Third grade reading by economic status 35 (2023) 26 (2026) narrowed CSV" in told
    assert "between Hispanic and White students" in told
    assert public.get("/v1/gaps?indicator=third-grade-reading&pair=economic-status").status_code == 200


def test_each_query_that_the_evidence_cites_is_answered(public: httpx.Client) -> None:
    page = public.get("/evidence").text

    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/v1/[^"]+)"', page)}
    assert len(links) == 21
    assert {public.get(link).status_code for link in links} == {200}


def test_a_page_of_links_says_when_the_release_tells_nothing_of_them(public: httpx.Client) -> None:
    answer = public.get("/link-quality")

    assert "The current release tells nothing of its links." in answer.text


def test_each_public_page_that_is_read_leaves_its_event(public: httpx.Client, served) -> None:
    paths = {
        "/report": "report-card/2026-11-22.1",
        "/report.pdf": "report-card/2026-11-22.1/pdf",
        "/evidence": "evidence/2026-11-22.1",
        "/link-quality": "link-quality/2026-11-22.1",
    }
    found = {}
    for path in paths:
        public.get(path)
        event = served.last_event()
        found[path] = event.resource if event.event == "page.read" else event.event

    assert found == paths


PRESCHOOLS = (
    LICENCE.replace("DUL-TEST", "DUL-PATH")
    .replace("canal-alliance", "marin-county-first-five")
    .replace("indicators: [third-grade-reading]", "indicators: [third-grade-reading, kindergarten-readiness]")
)


@pytest.fixture(scope="module")
def preschool_partner(served):
    link = served.link_under(PRESCHOOLS, "marin-county-first-five", Role.PARTNER)
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        client.post("/sign-in", data={"link": link})
        yield client


def test_a_partner_follows_a_preschool_s_children_with_what_is_unknown_kept_apart(preschool_partner) -> None:
    answer = preschool_partner.get("/pathway", params={"cohort": "2023", "preschool": "any", "lang": "en"})

    assert "The children of Any preschool of the partnership who began kindergarten in 2022-23" in answer.text
    rows = {
        title: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cells)).strip()
        for title, cells in re.findall(r'<tr><th scope="row"><a [^>]*>([^<]+)</a></th>(.*?)</tr>', answer.text)
    }
    assert rows["Third grade reading"] == "2025-26 75 % 25 % 40"
    assert rows["Kindergarten readiness"] == "2022-23 not yet observed"
    assert rows["Eighth grade math"] == "2030-31 no table for these children: why"


def test_the_page_says_which_outcomes_a_preschool_s_children_cannot_have_and_why(public: httpx.Client) -> None:
    page = public.get("/pathway", params={"lang": "en"}).text

    reasons = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page.partition('id="untold"')[2]))
    math = "Eighth grade math, High school graduation, College enrollment, College completion"
    assert set(reasons) == {math, "Employment"}
    assert "counts of groups" in reasons["Employment"]
    assert "has asked for it" in reasons[math]


def test_evidence_can_be_read_as_it_stood_in_an_earlier_year(public: httpx.Client) -> None:
    newest, earlier = (public.get("/evidence", params={"lang": "en", "year": year}).text for year in ("", "2025"))

    told = [" ".join(re.sub(r"<[^>]+>", " ", page).split()) for page in (newest, earlier)]
    assert "Third grade reading by economic status 35 (2023) 26 (2026) narrowed CSV" in told[0]
    assert "Third grade reading by economic status 35 (2023) 31 (2025) narrowed CSV" in told[1]
    assert '<option value="2025" selected>2025</option>' in earlier
    assert "newer figures are left out" in earlier
    assert "newer figures are left out" not in newest
    assert public.get("/evidence", params={"year": "no"}).status_code == 422


def test_the_children_of_a_preschool_are_downloaded_under_the_same_licence(preschool_partner) -> None:
    page = preschool_partner.get("/pathway", params={"cohort": "2023", "preschool": "any"}).text
    link = re.search(r'href="(/v1/pathway[^"]*format=csv)"', page)
    assert link is not None

    lines = preschool_partner.get(link[1].replace("&amp;", "&")).text.splitlines()

    assert [line for line in lines if line.startswith("third-grade-reading,2026,observed,40,30,10")]


def test_a_preschool_s_children_are_not_for_everybody(public: httpx.Client) -> None:
    answer = public.get("/pathway", params={"cohort": "2023", "preschool": "any"})
    wrong = public.get("/v1/pathway", params={"cohort": "2023", "preschool": "none"})

    assert answer.status_code == 403
    assert 'name="preschool"' not in public.get("/pathway").text
    assert (wrong.status_code, wrong.json()["code"]) == (422, "preschool-unknown")
