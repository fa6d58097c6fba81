"""which machine keeps which index; pages that wait for the answers of its partitions

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

import service.extensions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "index_hosts",
        sa.Column("host", sa.String(length=64), nullable=False),
        sa.Column("partitions", sa.String(length=200), nullable=False),
        sa.Column("partition_works", BigId, nullable=False),
        sa.Column("algorithm", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.String(length=64), nullable=False),
        sa.Column("until_id", BigId, nullable=False),
        sa.Column("works", BigId, nullable=False),
        sa.Column("size_bytes", BigId, nullable=False),
        sa.Column("built_at", service.extensions.UtcDateTime(), nullable=True),
        sa.Column("seen_at", service.extensions.UtcDateTime(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_hosts")),
        sa.UniqueConstraint("host", name=op.f("uq_index_hosts_host")),
    )
    op.create_table(
        "held_pages",
        sa.Column("sighting_id", BigId, nullable=False),
        sa.Column("token", sa.String(length=16), nullable=False),
        sa.Column("partitions", BigId, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("held_at", service.extensions.UtcDateTime(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(["sighting_id"], ["sightings.id"], name=op.f("fk_held_pages_sighting_id_sightings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_pages")),
        sa.UniqueConstraint("sighting_id", name=op.f("uq_held_pages_sighting_id")),
    )
    op.create_table(
        "partition_answers",
        sa.Column("held_page_id", BigId, nullable=False),
        sa.Column("partition", BigId, nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["held_page_id"], ["held_pages.id"], name=op.f("fk_partition_answers_held_page_id_held_pages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partition_answers")),
    )
    op.create_index("uq_partition_answers_partition", "partition_answers", ["held_page_id", "partition"], unique=True)


def downgrade() -> None:
    op.drop_table("partition_answers")
    op.drop_table("held_pages")
    op.drop_table("index_hosts")
