"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _ledger()
    _sources()
    _streams()
    _tasks()
    _resources()
    _appointments()
    _uses()
    _quarantine()
    _calendars()
    _placements()
    _intents()
    _deletions()
    _journal()


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("installation", sa.String(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("basis_number", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("resources_to", sa.Integer(), nullable=False),
        sa.Column("newest", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sources")),
    )


def _streams() -> None:
    op.create_table(
        "streams",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "stream", name=op.f("pk_streams")),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "task", name=op.f("pk_tasks")),
    )


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "resource", name=op.f("pk_resources")),
    )


def _appointments() -> None:
    op.create_table(
        "appointments",
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deletion", sa.String(), nullable=False),
        sa.Column("deletion_weak", sa.Boolean(), nullable=False),
        sa.Column("unlisted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("vouched_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unrouted", sa.String(), nullable=False),
        sa.Column("routed_by", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_appointments")),
        sa.UniqueConstraint("source", "revision", name=op.f("uq_appointments_source_revision")),
    )
    op.create_index(
        "ix_appointments_look_again",
        "appointments",
        ["source", "look_again_at"],
        sqlite_where=sa.text("look_again_at IS NOT NULL"),
        postgresql_where=sa.text("look_again_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_appointments_source_owner_starts_at"), "appointments", ["source", "owner", "starts_at"])
    op.create_index(op.f("ix_appointments_source_starts_at"), "appointments", ["source", "starts_at"])
    op.create_index(
        "ix_appointments_unlisted",
        "appointments",
        ["source", "unlisted_at"],
        sqlite_where=sa.text("unlisted_at IS NOT NULL"),
        postgresql_where=sa.text("unlisted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_appointments_unrouted",
        "appointments",
        ["source"],
        sqlite_where=sa.text("unrouted != ''"),
        postgresql_where=sa.text("unrouted != ''"),
    )


def _uses() -> None:
    op.create_table(
        "uses",
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["uid"], ["appointments.uid"], name=op.f("fk_uses_uid_appointments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("uid", "resource", name=op.f("pk_uses")),
    )
    op.create_index(op.f("ix_uses_source_resource"), "uses", ["source", "resource"])


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "source_id", "digest", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_source_look_up_at"), "quarantine", ["source", "look_up_at"])


def _calendars() -> None:
    op.create_table(
        "calendars",
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("surveyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("calendar", name=op.f("pk_calendars")),
    )


def _placements() -> None:
    op.create_table(
        "placements",
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("wanted_fingerprint", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("weak", sa.Boolean(), nullable=False),
        sa.Column("moved_to", sa.String(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_fingerprint", sa.String(), nullable=False),
        sa.Column("href", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("held", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("calendar", "uid", name=op.f("pk_placements")),
    )
    op.create_index(
        "ix_placements_due",
        "placements",
        ["calendar"],
        sqlite_where=sa.text("wanted_fingerprint != written_fingerprint"),
        postgresql_where=sa.text("wanted_fingerprint != written_fingerprint"),
    )
    op.create_index(op.f("ix_placements_uid"), "placements", ["uid"])
    op.create_index(
        "ix_placements_written",
        "placements",
        ["calendar", "ends_at"],
        sqlite_where=sa.text("written_fingerprint != ''"),
        postgresql_where=sa.text("written_fingerprint != ''"),
    )


def _intents() -> None:
    op.create_table(
        "intents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("weak", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intents")),
        sa.UniqueConstraint("calendar", "uid", name=op.f("uq_intents_calendar_uid")),
    )


def _deletions() -> None:
    op.create_table(
        "deletions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("weak", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletions")),
    )
    op.create_index(op.f("ix_deletions_calendar_at"), "deletions", ["calendar", "at"])


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    op.create_index(op.f("ix_journal_uid"), "journal", ["uid"])
