"""Alembic's entry: run the migrations on the connection that `store/migrate.py` hands over."""

from alembic import context

from webapp.store.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
