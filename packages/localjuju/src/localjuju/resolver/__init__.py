"""What a unit has to run next: the difference between what it has seen and the model.

Nothing is queued. A hook that fails leaves what was seen as it was, so it is run again; changes
that come in quick succession make one hook; a unit that is deployed late catches up.
"""

from .order import next_event
from .progress import record, version_of
from .relations import knows

__all__ = ["knows", "next_event", "record", "version_of"]
