"""which algorithms the works are fingerprinted by; what a match carries in other words

Revision ID: 0004
Revises: 0003
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

import service.extensions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FIRST_ALGORITHM = "yj-text-1"  # the only one there was before this revision; every work was registered with it
CHECKS = {
    "rewritten": "rewritten_coverage_of_work BETWEEN 0 AND 1 AND rewritten_coverage_of_page BETWEEN 0 AND 1",
    "quoted": "quoted_coverage_of_work BETWEEN 0 AND 1",
}


def upgrade() -> None:
    runs = op.create_table(
        "fingerprint_runs",
        sa.Column("algorithm", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", service.extensions.UtcDateTime(), nullable=False),
        sa.Column("finished_at", service.extensions.UtcDateTime(), nullable=True),
        sa.Column("id", BigId, nullable=False),
        sa.CheckConstraint("state IN ('running', 'done')", name=op.f("ck_fingerprint_runs_state")),
        sa.CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name=op.f("ck_fingerprint_runs_finished")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fingerprint_runs")),
        sa.UniqueConstraint("algorithm", name=op.f("uq_fingerprint_runs_algorithm")),
    )
    now = datetime.now(UTC)
    op.bulk_insert(runs, [{"algorithm": _complete_algorithm(), "state": "done", "started_at": now, "finished_at": now}])
    with op.batch_alter_table("matches") as batch_op:
        batch_op.alter_column("algorithm", existing_type=sa.String(length=32), type_=sa.String(length=120))
        batch_op.add_column(sa.Column("rewritten", sa.JSON(), nullable=False, server_default="[]"))
        for name in ("rewritten_coverage_of_work", "rewritten_coverage_of_page", "quoted_coverage_of_work"):
            batch_op.add_column(sa.Column(name, sa.Double(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("is_condensed", sa.Boolean(), nullable=False, server_default=sa.false()))
        for name, condition in CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_matches_{name}"), condition)


def downgrade() -> None:
    # what the older schema cannot say is cut off: the names of the aligners after that of the fingerprint
    op.execute("UPDATE matches SET algorithm = substr(algorithm, 1, 32) WHERE length(algorithm) > 32")
    with op.batch_alter_table("matches") as batch_op:
        for name in CHECKS:
            batch_op.drop_constraint(op.f(f"ck_matches_{name}"), type_="check")
        for name in (
            "is_condensed",
            "quoted_coverage_of_work",
            "rewritten_coverage_of_page",
            "rewritten_coverage_of_work",
            "rewritten",
        ):
            batch_op.drop_column(name)
        batch_op.alter_column("algorithm", existing_type=sa.String(length=120), type_=sa.String(length=32))
    op.drop_table("fingerprint_runs")


def _complete_algorithm() -> str:
    """The algorithm that all works here are fingerprinted by: the one with most rows (a database that went down from
    this revision may hold several). Without works it is whichever the program likes best.
    """
    rows = "SELECT algorithm FROM work_fingerprints GROUP BY algorithm ORDER BY count(*) DESC, algorithm LIMIT 1"
    if (name := op.get_bind().scalar(sa.text(rows))) is not None:
        return str(name)
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM work_versions")):
        return FIRST_ALGORITHM  # every text was too short for it
    from service.works.fingerprints import newest_algorithm  # noqa: PLC0415  numba, which only a fresh database needs

    return newest_algorithm()
