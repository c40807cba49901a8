"""Runs migrations on the connection, and inside the transaction, that `migrations.bring_up` hands over."""

from alembic import context

from calferry.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
