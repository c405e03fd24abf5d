"""How long one decision takes: `python3 run.py bench decision [--summary FILE]`. Bar: at most 1 ms."""

import argparse
import datetime as dt
import json
import time
from importlib import resources
from pathlib import Path

from policies.agreements import read_agreement
from policies.decision import Query, Resource, decide, decide_count
from policies.principal import Principal, Role

DAY = dt.date(2026, 11, 22)
ROUNDS = 2000
BAR_MILLISECONDS = 1.0


def known(many: int) -> list:
    """The example agreements, and further licences so that there are many."""
    folder = resources.files("policies").joinpath("agreements")
    found = [read_agreement(one.read_text("utf-8")) for one in folder.iterdir() if one.name.endswith(".yaml")]
    licence = next(one for one in found if one.tier == "DUL")
    return found + [licence.model_copy(update={"id": f"DUL-X{number}"}) for number in range(many - len(found))]


def milliseconds(act) -> float:
    """Processor milliseconds of one call, the mean of many."""
    begun = time.process_time()
    for _ in range(ROUNDS):
        act()
    return (time.process_time() - begun) / ROUNDS * 1000


def main() -> int:
    """Measures a query and a count, with 7 agreements and with 100."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--summary", type=Path)
    options = reader.parse_args()
    who = Principal("person:1", frozenset({Role.PARTNER}), "canal-alliance")
    query = Query("DUL-7", "close-equity-gap-2028", "postsecondary-completion", ("race", "economic-status"))
    found = {}
    for many in (7, 100):
        agreements = known(many)
        given = {one.id for one in agreements}
        found[f"query, {many} agreements"] = milliseconds(
            lambda agreements=agreements: decide(
                who, "aggregate.query", Resource("table", query=query), agreements=agreements, day=DAY
            )
        )
        found[f"count, {many} agreements"] = milliseconds(
            lambda agreements=agreements, given=given: decide_count(
                query.indicator, query.dimensions, agreements=agreements, given=given, day=DAY
            )
        )
    for name, took in found.items():
        print(f"{name:24} {took:8.4f} ms  (bar {BAR_MILLISECONDS} ms)")
    if options.summary:
        options.summary.write_text(json.dumps({name: round(took, 4) for name, took in found.items()}), "utf-8")
    return 0 if max(found.values()) <= BAR_MILLISECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())
