"""The model that commands work on, and how they look up its parts."""

from __future__ import annotations

from dataclasses import dataclass

from ..engine import Engine
from ..errors import CommandError
from ..model import Application, Model, Secret, Unit


@dataclass(frozen=True)
class Context:
    """A model, and what runs for it.

    Attributes:
        engine: What runs for it.
    """

    engine: Engine

    @property
    def model(self) -> Model:
        """The model."""
        return self.engine.model

    def app(self, name: str) -> Application:
        """The application of that name.

        Raises:
            CommandError: If there is none.
        """
        app = self.model.applications.get(name)
        if app is None:
            raise CommandError(f'application "{name}" not found')
        return app

    def unit(self, name: str) -> Unit:
        """The unit of that name, or the leader if it ends in ``/leader``.

        Raises:
            CommandError: If there is none.
        """
        app, _, number = name.partition("/")
        unit = self.model.unit(self.app(app).leader if number == "leader" else name)
        if unit is None:
            raise CommandError(f'unit "{name}" not found')
        return unit

    def secret(self, identifier: str) -> Secret:
        """The secret of that URI, name or label.

        Raises:
            CommandError: If there is none.
        """
        named = (s for s in self.model.secrets.values() if identifier in {s.name, s.label})
        secret = self.model.find_secret(identifier) or next(named, None)
        if secret is None:
            raise CommandError(f'secret "{identifier}" not found')
        return secret
