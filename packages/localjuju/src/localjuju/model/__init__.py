"""A model as a controller and its agents know it: plain data, changed elsewhere."""

from .application import Application
from .event import Event
from .model import JUJU_VERSION, Model
from .relation import Relation, RelationEnd
from .secret import Secret, SecretConsumer, SecretRevision, new_secret_id, secret_id
from .status import Status, now
from .task import Command, Task
from .unit import SeenRelation, Unit

__all__ = [
    "JUJU_VERSION",
    "Application",
    "Command",
    "Event",
    "Model",
    "Relation",
    "RelationEnd",
    "Secret",
    "SecretConsumer",
    "SecretRevision",
    "SeenRelation",
    "Status",
    "Task",
    "Unit",
    "new_secret_id",
    "now",
    "secret_id",
]
