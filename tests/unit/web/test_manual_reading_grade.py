"""The stewards' pages of the manual can be read by somebody who is in a hurry: Flesch-Kincaid grade 9 at most.

Kincaid, Fishburne, Rogers, Chissom, Derivation of new readability formulas for Navy enlisted personnel (1975). A
sentence is a sentence of running text, a point of a list, or a cell of a table of at least five words.
"""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("pages.md", "edge.md", *(f"doors/{one.name}" for one in sorted((DOCS / "doors").glob("*.md"))))
GRADE_MAX = 9.0
WORDS_MIN = 5


def grade(text):
    """The school grade that a text asks for."""
    told = [re.findall(r"[A-Za-z][A-Za-z'’]*", sentence) for sentence in sentences(text)]
    words = [word for sentence in told for word in sentence]
    return 0.39 * len(words) / len(told) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def sentences(text):
    """Running text, points and cells, without code, headings and addresses."""
    text = re.sub(r"(?ms)^```.*?^```", "", text)
    text = re.sub(r"`[^`\n]*`", "it", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    for line in re.split(r"\n(?=\s*(?:[-*|]|\d+\.)\s)|\n\n|(?<!\\)\|", text):
        if not line.lstrip().startswith("#"):
            for part in re.split(r"(?<=[.?!])\s+", line):
                if len(re.findall(r"[A-Za-z]+", part)) >= WORDS_MIN:
                    yield part


def syllables(word):
    """Groups of vowels, without a silent e at the end."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    plain = re.sub(r"(?<=[aeiouy])les?$", "l", plain)
    plain = re.sub(r"(?:[^laeiouy]es|[^laeiouytd]ed|[^laeiouy]e)$", lambda found: found[0][0], plain)
    return max(1, len(re.findall(r"[aeiouy]+", plain)))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_for_stewards_is_read_without_effort(page):
    assert round(grade((DOCS / page).read_text("utf-8")), 1) <= GRADE_MAX


@pytest.mark.parametrize(
    ("word", "count"), [("file", 1), ("submission", 3), ("mended", 2), ("agreement", 3), ("rate", 1), ("table", 2)]
)
def test_syllables_are_counted_as_they_are_spoken(word, count):
    assert syllables(word) == count


def test_longer_sentences_of_longer_words_ask_for_a_higher_grade():
    plain = "The file is here. You can send it now. Look at the list of rows."
    heavy = (
        "Notwithstanding considerable organisational heterogeneity, participating institutions synchronise identities."
    )

    assert grade(plain) < 4
    assert grade(heavy) > 12
