"""What a family's objection takes a child out of: by scope, legal basis, what the agreement promises, and the kind."""

from importlib import resources

import pytest

from policies.agreements import OptOuts, read_agreement
from policies.opt_outs import SCOPE_WORDS, OptOutScope, takes_out

K12 = read_agreement(resources.files("policies").joinpath("agreements/dsa-k12.yaml").read_text("utf-8"))
BOTH, LIST, BLOCK, NONE = ((True, True), (False, True), (True, False), (False, False))

CASES = [
    # scope, legal bases, (directory block, parents' list) promised, kind, taken out
    ("directory", ["ferpa-audit-evaluation"], BOTH, "k12", False),
    ("directory", ["ferpa-audit-evaluation"], BOTH, "clearinghouse", True),
    ("directory", ["ferpa-audit-evaluation"], None, "clearinghouse", True),
    ("directory", ["ferpa-audit-evaluation"], LIST, "clearinghouse", False),
    ("directory", ["ferpa-studies"], BOTH, "k12", False),
    ("studies", ["ferpa-studies"], NONE, "k12", True),
    ("studies", ["ferpa-audit-evaluation"], BOTH, "k12", False),
    ("studies", ["ferpa-audit-evaluation"], BOTH, "clearinghouse", True),
    ("all", ["ferpa-studies"], None, "k12", True),
    ("all", ["ferpa-audit-evaluation"], None, "k12", False),
    ("all", ["ferpa-audit-evaluation", "public-record"], BLOCK, "k12", False),
    ("all", ["ferpa-audit-evaluation"], LIST, "k12", True),
    ("all", ["head-start"], NONE, "preschool", True),
    ("all", ["ferpa-audit-evaluation", "ferpa-school-official"], NONE, "k12", True),
]


@pytest.mark.parametrize(("scope", "bases", "promised", "kind", "out"), CASES)
def test_an_objection_takes_out_what_its_scope_and_the_agreement_reach(scope, bases, promised, kind, out):
    parts = None if promised is None else OptOuts(directory_block=promised[0], parent_list=promised[1])
    agreement = K12.model_copy(update={"legal_basis": tuple(bases), "opt_outs": parts})

    assert takes_out(OptOutScope(scope), agreement, kind=kind) is out


def test_a_wider_scope_takes_out_all_that_a_narrower_one_does():
    ordered = [OptOutScope.DIRECTORY, OptOutScope.STUDIES, OptOutScope.ALL]
    for _, bases, promised, kind, _ in CASES:
        parts = None if promised is None else OptOuts(directory_block=promised[0], parent_list=promised[1])
        agreement = K12.model_copy(update={"legal_basis": tuple(bases), "opt_outs": parts})
        reached = [takes_out(scope, agreement, kind=kind) for scope in ordered]
        assert reached == sorted(reached)


def test_every_scope_has_its_words():
    assert set(SCOPE_WORDS) == set(OptOutScope)
