"""The chart of one class through its outcomes: what is not observed has words and no bar."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.languages import ENGLISH, Language, message
from hub.release.charts import BLUE, CONFIG, GREY, Spec

KNOWN = message("per cent of those whose outcome is known")


@dataclass(frozen=True)
class Step:
    """One outcome of a class: the share that reached it lies between low and high; None where it is not told."""

    title: str
    low: int | None
    high: int | None
    words: str


def pathway_chart(steps: Sequence[Step], language: Language = ENGLISH, *, axis_title: str = KNOWN) -> Spec:
    """A bar an outcome: reached, not reached, and what a range leaves open between; what is not told has words only."""
    order = [step.title for step in steps]
    axis = {"labelLimit": 255, "minExtent": 200, "labelFontSize": 13, "ticks": False, "domain": False}
    y = {"field": "step", "type": "nominal", "sort": order, "title": None, "axis": axis, "scale": {"domain": order}}
    x = {
        "field": "from",
        "type": "quantitative",
        "scale": {"domain": [0, 100]},
        "axis": {
            "title": language.say(axis_title),
            "values": [0, 20, 40, 60, 80, 100],
            "grid": False,
        },
    }
    parts = [part for step in steps for part in _parts(step)]
    told = [{"step": step.title, "label": step.words} for step in steps if step.low is not None]
    untold = [{"step": step.title, "label": step.words} for step in steps if step.low is None]
    words = {"type": "text", "align": "left", "fontSize": 12, "color": GREY}
    layers = [
        {
            "data": {"values": [part for part in parts if part["part"] == name]},
            "mark": {"type": "bar", "height": 14, "stroke": GREY, "strokeWidth": 0.5, **colour},
            "encoding": {"y": y, "x": x, "x2": {"field": "to"}},
        }
        for name, colour in (
            ("reached", {"color": BLUE}),
            ("between", {"color": BLUE, "opacity": 0.4}),
            ("not reached", {"color": "#ffffff"}),
        )
    ]
    layers += [
        {
            "data": {"values": rows},
            "mark": {**words, "dx": dx, "fontStyle": style},
            "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "label"}},
        }
        for rows, dx, style in ((told, 310, "normal"), (untold, 6, "italic"))
    ]
    return {"config": CONFIG, "width": 300, "height": {"step": 28}, "layer": layers}


def _parts(step: Step) -> list[Spec]:
    if step.low is None or step.high is None:
        return []
    ends = (("reached", 0, step.low), ("between", step.low, step.high), ("not reached", step.high, 100))
    return [{"step": step.title, "part": name, "from": start, "to": end} for name, start, end in ends if end > start]
