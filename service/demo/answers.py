"""The answer key. Nothing that scans may read it: the demo asks for it only after the scan has ended."""

from __future__ import annotations

from dataclasses import dataclass

from service.demo.plan import plan_pages


@dataclass(frozen=True)
class Answer:
    """What one planted or innocent page is, and what a right scan says about it.

    `work_id` is the copied work (None: innocent); `ruling` permitted, out_of_scope, not_licensed or innocent;
    `done` tells in Chinese what the copier did.
    """

    key: str
    site: str
    path: str
    work_id: str | None
    kind: str
    ruling: str
    deserves_flag: bool
    done: tuple[str, ...]


def answer_key(seed: int, omit: str | None = None) -> tuple[Answer, ...]:
    """One answer for each article page of `build_sites(seed, now, omit)`; index pages have none.

    "Planted" in the demo's table is the number of answers with `deserves_flag`. Raises ValueError as `plan_pages`.
    """
    return tuple(
        Answer(page.key, page.site, page.path, page.work_id, page.kind, page.ruling, page.deserves_flag, page.done)
        for page in plan_pages(seed, omit)
    )
