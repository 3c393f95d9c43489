# The few commands that a contributor needs.

default: check test

# Lint, format, types, imports
check:
    uv run ruff check
    uv run ruff format --check
    uv run pyright
    uv run lint-imports

# Mend what can be mended by a machine
fix:
    uv run ruff check --fix
    uv run ruff format

# All tests, or some: just test packages/localjuju
test *arguments:
    uv run pytest {{arguments}}

# The demonstration
demo *arguments:
    uv run valkey-client demo {{arguments}}

# Write the JSON Schemas again
schemas:
    uv run python interface/v1/schema.py
