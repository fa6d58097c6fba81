"""State tables: every change of state goes through one of these. PURE.

A table maps (state, action) to the new state: `{"new": {"claim": "reviewing"}}` reads “from new, claim leads to
reviewing”.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.errors import IllegalTransition

Table = Mapping[str, Mapping[str, str]]


def next_state(table: Table, state: str, action: str) -> str:
    """The state that `action` leads to. Raises IllegalTransition when the table has no such step."""
    try:
        return table[state][action]
    except KeyError:
        allowed = "、".join(table.get(state, {})) or "无"
        raise IllegalTransition(f"状态“{state}”下不能执行“{action}”；可执行：{allowed}。") from None


def all_states(table: Table) -> frozenset[str]:
    """Every state that the table names, as a start or as an end."""
    return frozenset(table) | {end for steps in table.values() for end in steps.values()}


def can(table: Table, state: str, action: str) -> bool:
    """True when the table has this step."""
    return action in table.get(state, {})
