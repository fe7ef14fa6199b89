"""The charts that pages about learning share, as Vega-Lite: what a browser draws by itself, in the theme's colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

LINE, SOFT = "#6366f1", "#8b90a0"
Tall = int | Literal["stretch"]
PERCENT = {"format": ".0%", "tickCount": 5, "labelFlush": False}


def learning_curve(points: Sequence[dict[str, Any]], *, key: str, height: Tall = "stretch") -> None:
    """Right on held-out answers against how many answers taught it, with the interval as a band."""
    whole = {"format": ",d", "tickMinStep": 1, "tickCount": 8, "labelFlush": False}
    floor = min((each["low"] for each in points), default=0.0)
    x = {"field": "answers", "type": "quantitative", "title": "answers that taught it", "axis": whole}
    scale = {"domain": [max(0.0, floor * 10 // 1 / 10 - 0.1), 1], "zero": False}
    band = {
        "mark": {"type": "area", "opacity": 0.16, "color": LINE},
        "encoding": {
            "x": x,
            "y": {"field": "low", "type": "quantitative", "scale": scale, "axis": PERCENT, "title": None},
            "y2": {"field": "high"},
        },
    }
    tips = [
        {"field": "model", "type": "nominal"},
        {"field": "answers", "type": "quantitative"},
        {"field": "right", "type": "quantitative", "format": ".1%"},
        {"field": "low", "type": "quantitative", "format": ".1%", "title": "at least"},
        {"field": "high", "type": "quantitative", "format": ".1%", "title": "at most"},
    ]
    line = {
        "mark": {"type": "line", "color": LINE, "strokeWidth": 2, "point": {"filled": True, "size": 55, "color": LINE}},
        "encoding": {"x": x, "y": {"field": "right", "type": "quantitative", "axis": PERCENT}, "tooltip": tips},
    }
    force: dict[str, Any] = {"mark": {"type": "point", "filled": True, "size": 130, "color": LINE}}
    force |= {
        "transform": [{"filter": "datum.force"}],
        "encoding": {"x": x, "y": {"field": "right", "type": "quantitative", "axis": PERCENT}, "tooltip": tips},
    }
    spec = {"data": {"values": list(points)}, "layer": [band, line, force]}
    st.vega_lite_chart(
        spec, height=height, key=key, alt="Share of held-out answers that were right, by answers that taught the model"
    )


def reliability(bins: Sequence[dict[str, Any]], *, key: str, height: Tall = "stretch") -> None:
    """How often answers of each confidence were right: on the diagonal, confidence can be believed."""
    scale = {"domain": [0, 1]}
    axis = {"type": "quantitative", "scale": scale, "axis": PERCENT}
    diagonal = {
        "data": {"values": [{"sure": 0, "right": 0}, {"sure": 1, "right": 1}]},
        "mark": {"type": "line", "strokeDash": [4, 4], "color": SOFT, "strokeWidth": 1},
        "encoding": {"x": {"field": "sure", **axis, "title": "how sure it was"}, "y": {"field": "right", **axis}},
    }
    tips = [
        {"field": "sure", "type": "quantitative", "format": ".0%"},
        {"field": "right", "type": "quantitative", "format": ".0%"},
        {"field": "answers", "type": "quantitative"},
    ]
    points = {
        "data": {"values": list(bins)},
        "mark": {"type": "circle", "color": LINE, "opacity": 0.9},
        "encoding": {
            "x": {"field": "sure", **axis, "title": "how sure it was"},
            "y": {"field": "right", **axis, "title": "how often right"},
            "size": {"field": "answers", "type": "quantitative", "legend": None, "scale": {"range": [40, 400]}},
            "tooltip": tips,
        },
    }
    st.vega_lite_chart({"layer": [diagonal, points]}, height=height, key=key, alt="Confidence against being right")


def confusion(cells: Sequence[dict[str, Any]], *, key: str, height: Tall = "stretch") -> None:
    """What was right against what was answered: the diagonal is right."""
    where = {
        "x": {
            "field": "answered",
            "type": "nominal",
            "title": "it answered",
            "sort": None,
            "axis": {"labelAngle": 0, "labelFlush": False},
        },
        "y": {"field": "right", "type": "nominal", "title": "right is", "sort": None, "axis": {"labelFlush": False}},
    }
    shade: dict[str, Any] = {
        "field": "share",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": ["#6366f11a", "#6366f1"]},
    }
    tint: dict[str, Any] = {"condition": {"test": "datum.share > 0.55", "value": "#ffffff"}, "value": SOFT}
    tips = [{"field": name, "type": "nominal"} for name in ("right", "answered", "answers")]
    spec = {
        "data": {"values": list(cells)},
        "layer": [
            {"mark": {"type": "rect", "cornerRadius": 3}, "encoding": {**where, "color": shade, "tooltip": tips}},
            {
                "mark": {"type": "text", "fontSize": 13, "fontWeight": 600},
                "encoding": {**where, "text": {"field": "answers"}, "color": tint, "tooltip": tips},
            },
        ],
    }
    st.vega_lite_chart(spec, height=height, key=key, alt="Confusion: rows are right values, columns are answers")
