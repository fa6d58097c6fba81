"""A report's rows as a table, as JSON, as a picture; and the intervals that stand in them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

Row = dict[str, Any]
COLUMNS = ("ratio", "what", "ours", "unit", "peer", "peer_value", "goal", "reached")
Z = 1.96


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share. Source: E. B. Wilson, JASA 22 (1927). (0, 1) without any case."""
    if not total:
        return 0.0, 1.0
    share, scale = hits / total, 1 + Z * Z / total
    middle = (share + Z * Z / (2 * total)) / scale
    reach = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total)) / scale
    return max(0.0, middle - reach), min(1.0, middle + reach)


def share_row(
    what: str, hits: int, total: int, goal: float | None = None, *, is_most: bool = False, **more: Any
) -> Row:
    """A row of a measured share with its interval; the goal is the least share, with `is_most` the largest."""
    share = hits / total if total else 0.0
    low, high = wilson(hits, total)
    reached = None if goal is None or not total else (share <= goal if is_most else share >= goal)
    values = {"ours": round(share, 6), "unit": "share", "peer": "", "peer_value": None, "ratio": None}
    return {
        "what": what,
        **values,
        "goal": goal,
        "reached": reached,
        "is_most": is_most,
        "n": total,
        "low": _round(low),
        "high": _round(high),
        **more,
    }


def value_row(
    what: str, value: float, unit: str, goal: float | None = None, *, is_most: bool = False, **more: Any
) -> Row:
    """A row of a plain number."""
    reached = None if goal is None else (value <= goal if is_most else value >= goal)
    values = {"ours": round(value, 4), "unit": unit, "peer": "", "peer_value": None, "ratio": None}
    return {"what": what, **values, "goal": goal, "reached": reached, **more}


def table(report: dict[str, Any]) -> str:
    """The report as lines of text: name, data, then a row a line with ratios first."""
    lines = [f"{report['name']}: {report['data']}"]
    for row in report["rows"]:
        ratio = f"{row['ratio']:,.4g}×" if row.get("ratio") is not None else ""
        interval = f" [{row['low']:.4f}–{row['high']:.4f}] n={row['n']:,}" if "low" in row else ""
        against = f"  {row['peer']}: {row['peer_value']:,.4g}" if row.get("peer_value") is not None else ""
        goal = f"  goal {row['goal']:g}{_mark(row['reached'])}" if row.get("goal") is not None else ""
        lines.append(f"{ratio:>9}  {row['what']}: {row['ours']:,.6g} {row['unit']}{interval}{against}{goal}")
    return "\n".join(lines)


def _mark(reached: bool | None) -> str:
    return {True: " reached", False: " NOT REACHED", None: " not measured"}[reached]


def write_json(report: dict[str, Any], path: Path) -> None:
    """The report as one JSON object."""
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def picture(rows: Sequence[Row], title: str) -> str:
    """An SVG of the rows that are shares: bar, interval, goal as a red tick; the scale is stretched towards 1."""
    shares = [row for row in rows if row["unit"] == "share" and "low" in row and not row["is_most"]]
    height = 28 * len(shares) + 64
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="960" height="{height}" font-family="sans-serif" font-size="13">',
        f'<rect width="960" height="{height}" fill="#faf9f6"/><text x="16" y="26" font-size="16">{escape(title)}</text>',
    ]
    for value in (0.0, 0.5, 0.9, 0.95, 1.0):
        x = _place(value)
        parts.append(f'<path d="M{x} 40V{height - 16}" stroke="#d8d4c8"/>')
        parts.append(f'<text x="{x}" y="52" fill="#6b6455" text-anchor="middle">{value:g}</text>')
    for number, row in enumerate(shares):
        y = 60 + 28 * number
        color = "#b23a2f" if row["reached"] is False else "#2f6b4f" if row["reached"] else "#24476b"
        x, low, high = _place(row["ours"]), _place(row["low"]), _place(row["high"])
        parts.append(f'<text x="430" y="{y + 15}" text-anchor="end">{escape(row["what"])}</text>')
        parts.append(
            f'<rect x="{_place(0)}" y="{y + 3}" width="{x - _place(0)}" height="14" fill="{color}" opacity=".75"/>'
        )
        parts.append(f'<path d="M{low} {y + 10}H{high}" stroke="#1c2430" stroke-width="2"/>')
        if row["goal"] is not None:
            parts.append(f'<path d="M{_place(row["goal"])} {y}v20" stroke="#b23a2f" stroke-width="2"/>')
        parts.append(f'<text x="920" y="{y + 15}" text-anchor="end">{row["ours"]:.4f}</text>')
    return "\n".join((*parts, "</svg>"))


def _place(share: float) -> float:
    """x of a share: half of the width belongs to the last tenth."""
    return round(445 + 400 * (share / 0.9 / 2 if share < 0.9 else 0.5 + (share - 0.9) / 0.2), 1)


def _round(value: float) -> float:
    return float(f"{value:.6g}")
