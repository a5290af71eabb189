"""What alembic runs: the scripts, in the transaction of the connection that it is given."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=False,  # the transaction is the caller's, also where SQLite's driver would end it
)
context.run_migrations()
