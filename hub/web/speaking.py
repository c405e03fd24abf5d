"""The language in which a page speaks to whoever asks: the address names it, else the browser prefers it."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from fastapi import Request

from hub.languages import ENGLISH, LANGUAGES, Language, language_named, preferred_language

PARAMETER = "lang"
SPOKEN_PAGES = frozenset({"home", "report", "definitions", "explorer", "pathway", "evidence", "link-quality"})
"""The pages that speak every language; all others speak English, as the API does."""
SPOKEN_PATHS = frozenset(
    {"/", "/report", "/report.pdf", "/definitions", "/explorer", "/pathway", "/evidence", "/link-quality"}
)


@dataclass(frozen=True)
class Switch:
    """The way to this page in another language."""

    language: Language
    path: str


@dataclass(frozen=True)
class Speaking:
    """One language for one answer; `asked` where the address names it, so that links go on naming it."""

    language: Language
    asked: bool
    address: str
    spoken: bool

    def to(self, path: str) -> str:
        """A link of ours that stays in this language."""
        if not self.asked or urlsplit(path).path not in SPOKEN_PATHS:
            return path
        return with_language(path, self.language)

    def switches(self) -> tuple[Switch, ...]:
        """This page in the other languages; none where it speaks one only."""
        others = (one for one in LANGUAGES if one is not self.language)
        return tuple(Switch(one, with_language(self.address, one)) for one in others) if self.spoken else ()

    def headers(self) -> dict[str, str]:
        """What an answer in a language says of itself."""
        return {"Content-Language": self.language.code, "Vary": "Accept-Language"} if self.spoken else {}


def speaking_to(request: Request, page: str) -> Speaking:
    """The language for whoever asks for a page."""
    spoken = page in SPOKEN_PAGES
    named = language_named(request.query_params.get(PARAMETER, "")) if spoken else None
    preferred = preferred_language(request.headers.get("accept-language", "")) if spoken else ENGLISH
    address = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return Speaking(named or preferred, asked=named is not None, address=address, spoken=spoken)


def with_language(path: str, language: Language) -> str:
    """An address of ours that names its language."""
    parts = urlsplit(path)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode([*query, (PARAMETER, language.code)])))
