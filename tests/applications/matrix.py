"""What works with each library: the expectation that the tests compare with and the page shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from valkey_client import RequestOptions

PREFIX = "app:*"
"""What the applications ask for, unless the library's own default prefix is tried."""


class Grant(Enum):
    """What an application asks for; the value is how the page says it."""

    PREFIX = "the prefix"
    CHANNEL_PATTERNS = "`channel_patterns`"
    KEYSPACE_EVENTS = "`keyspace_events`"
    SCAN = "`scan`"
    OWN_DATABASE = "`own_database`"
    DEFAULT_PREFIX = "the default prefix"


SCANNING = (Grant.SCAN, Grant.OWN_DATABASE)
DATABASE = (Grant.OWN_DATABASE,)
CHANNELS = (Grant.CHANNEL_PATTERNS,)


@dataclass(frozen=True)
class Feature:
    """Something that an application does with a library.

    Attributes:
        name: As the probe calls it.
        needs: What must be asked for, any of these; nothing if the prefix is enough.
        never: Why no account may do it, and what to do instead; empty if one may.
        why: Why the prefix is not enough.
    """

    name: str
    needs: tuple[Grant, ...] = ()
    never: str = ""
    why: str = ""

    def works_with(self, grant: Grant) -> bool:
        """Whether it works for an application that asked for this."""
        return not self.never and (not self.needs or grant in self.needs)


@dataclass(frozen=True)
class Application:
    """A library, and what is known of it.

    Attributes:
        name: What people call it.
        probe: The program that uses it, in ``probes/``; it shows how to set the library up.
        set: What keeps its names within the prefix.
        features: What it is used for.
        patterns: What it must ask for as ``channel_patterns``, if it needs any.
        default_prefix: What to ask for if the library's own names shall stay as they are.
        notes: What else to know.
    """

    name: str
    probe: str
    set: str
    features: tuple[Feature, ...]
    patterns: tuple[str, ...] = ()
    default_prefix: str = ""
    notes: str = ""

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Under which grants it is run: the plain one, and each that makes a difference."""
        needed = {grant for feature in self.features for grant in feature.needs}
        return (Grant.PREFIX, *(grant for grant in Grant if grant in needed))

    def features_with(self, grant: Grant) -> tuple[Feature, ...]:
        """What is tried with a grant.

        More rights take nothing away, so what needs none of them is tried without them; a
        database of its own is another place, where all is tried.
        """
        if grant in (Grant.PREFIX, Grant.OWN_DATABASE):
            return self.features
        return tuple(feature for feature in self.features if feature.needs or feature.never)

    def prefix(self, grant: Grant) -> str:
        """The prefix that it asks for."""
        return self.default_prefix if grant is Grant.DEFAULT_PREFIX else PREFIX

    def options(self, grant: Grant) -> RequestOptions:
        """What it asks for beyond its prefix."""
        return RequestOptions(
            channel_patterns=self.patterns if grant is Grant.CHANNEL_PATTERNS else (),
            keyspace_events=grant is Grant.KEYSPACE_EVENTS,
            scan=grant is Grant.SCAN,
            own_database=grant is Grant.OWN_DATABASE,
        )


def _works(*names: str) -> tuple[Feature, ...]:
    return tuple(Feature(name) for name in names)


_SCAN = "`SCAN` walks over everybody's keys"
_KEYS = "`KEYS` lists everybody's keys"
_FLUSH = "`FLUSHDB` deletes everybody's keys"
_SIZE = "`DBSIZE` counts everybody's keys"
_PATTERN = "servers compare patterns with the account's letter by letter"

_SCAN_ITER = Feature("scan_iter", needs=SCANNING, why=_SCAN)
_FLUSHDB = Feature("flushdb", needs=DATABASE, why=_FLUSH)
_DJANGO = _works("get, set, add, incr, touch, delete, get_many, set_many", "sessions")
_DJANGO_EXTRAS = (
    *_works("ttl, lock", "Sentinel"),
    Feature("delete_pattern, iter_keys", needs=SCANNING, why=_SCAN),
    Feature("keys", needs=DATABASE, why=_KEYS),
)
_DJANGO_CLEAR = Feature(
    "clear", needs=DATABASE, why=f"{_FLUSH}; without a database of its own, change `VERSION`"
)

APPLICATIONS = (
    Application(
        "valkey-py",
        "probe_valkey.py",
        "names that begin with the prefix",
        (
            *_works(
                "Lock: acquire, extend, reacquire, release",
                "pipeline",
                "transaction with WATCH",
                "publish, subscribe",
                "psubscribe to the whole prefix",
            ),
            Feature("psubscribe to a narrower pattern", needs=CHANNELS, why=_PATTERN),
            *_works(
                "streams with consumer groups",
                "registered scripts",
                "blocking pop",
                "hscan, sscan, zscan",
                "info",
                "Sentinel",
            ),
            Feature(
                "keyspace notifications",
                needs=(Grant.KEYSPACE_EVENTS,),
                why="their channels do not begin with the prefix",
            ),
            _SCAN_ITER,
            Feature("keys", needs=DATABASE, why=_KEYS),
            Feature("dbsize, randomkey", needs=DATABASE, why="they are about everybody's keys"),
            _FLUSHDB,
            Feature(
                "function_load, fcall",
                never="functions belong to the whole server; register a script instead",
            ),
            Feature("client_list", never="it shows everybody's connections"),
            Feature("config_get", never="configuration is the operator's"),
        ),
        patterns=("app:room.*",),
        notes="`valkey_client.client.connect` makes such a client that follows failovers.",
    ),
    Application(
        "valkey-py, asyncio",
        "probe_valkey_asyncio.py",
        "names that begin with the prefix",
        (
            *_works(
                "Lock: acquire, extend, reacquire, release",
                "pipeline",
                "transaction with WATCH",
                "publish, subscribe",
                "streams with consumer groups",
                "registered scripts",
                "blocking pop",
                "hscan",
            ),
            _SCAN_ITER,
            Feature("keys", needs=DATABASE, why=_KEYS),
            Feature("dbsize", needs=DATABASE, why=_SIZE),
            _FLUSHDB,
        ),
        notes="`valkey_client.client.connect_async` makes such a client that follows failovers.",
    ),
    Application(
        "redis-py",
        "probe_redis.py",
        "names that begin with the prefix",
        (
            *_works(
                "Lock, transaction, script, messages: RESP2",
                "Lock, transaction, script, messages: RESP3",
                "Lock, transaction, script, messages: asyncio, RESP2",
                "Lock, transaction, script, messages: asyncio, RESP3",
                "Sentinel",
            ),
            Feature(
                "client-side caching (CacheConfig)",
                never="`CLIENT TRACKING` can name every key that changes; cache without it",
            ),
            _SCAN_ITER,
            _FLUSHDB,
        ),
    ),
    Application(
        "Valkey GLIDE",
        "probe_glide.py",
        "names that begin with the prefix",
        (
            *_works(
                "commands",
                "batch, atomic and not",
                "Script",
                "streams with consumer groups",
                "publish, subscribe",
                "update_connection_password",
            ),
            Feature("scan", needs=SCANNING, why=_SCAN),
            Feature("dbsize", needs=DATABASE, why=_SIZE),
            _FLUSHDB,
        ),
        notes="It has no Sentinel support: make a new client when `endpoints` changes. "
        "`valkey_client.client.glide_configuration` gives the configuration.",
    ),
    Application(
        "Celery",
        "probe_celery.py",
        "`global_keyprefix` for the broker and for the results",
        (
            Feature(
                "worker without remote control, gossip and mingle: delay, chain, chord, countdown"
            ),
            Feature("the same worker with Sentinel"),
            *(
                Feature(name, needs=CHANNELS, why=_PATTERN)
                for name in (
                    "worker with its defaults and -E: delay, chain, chord, countdown",
                    "inspect",
                    "revoke",
                    "events",
                )
            ),
            Feature("purge"),
        ),
        patterns=("app:/0.celery.pidbox", "app:/0.celeryev/*", "app:/0.celeryev/worker.*"),
        notes="Without the channel patterns a worker with its defaults says that it is ready, "
        "and ends with `NoPermissionError`. To do without: `app.conf.worker_enable_remote_control = "
        "False`, and `celery worker --without-gossip --without-mingle` without `-E`. The `0` in the "
        "patterns is the number of the database.",
    ),
    Application(
        "RQ",
        "probe_rq.py",
        "`RQ_KEY_PREFIX` in the environment",
        (
            *_works(
                "enqueue, worker, result",
                "a job that fails, and requeue",
                "dependencies",
                "enqueue_in, with a scheduler",
                "list workers, send a command to one",
            ),
            Feature(
                "without RQ_KEY_PREFIX",
                needs=(Grant.DEFAULT_PREFIX,),
                why="its names begin with `rq:`",
            ),
        ),
        default_prefix="rq:*",
        notes="Version 2.8 has no such variable: there the names begin with `rq:`.",
    ),
    Application(
        "Django's RedisCache", "probe_django.py", "`KEY_PREFIX`", (*_DJANGO, _DJANGO_CLEAR)
    ),
    Application(
        "django-valkey",
        "probe_django_valkey.py",
        "`KEY_PREFIX`",
        (*_DJANGO, *_DJANGO_EXTRAS, _DJANGO_CLEAR),
    ),
    Application(
        "django-redis",
        "probe_django_redis.py",
        "`KEY_PREFIX`",
        (*_DJANGO, *_DJANGO_EXTRAS, _DJANGO_CLEAR),
    ),
    Application(
        "limits",
        "probe_limits.py",
        "`key_prefix`",
        (
            *_works(
                "fixed window", "moving window", "sliding window counter", "asyncio", "Sentinel"
            ),
            Feature(
                "without key_prefix",
                needs=(Grant.DEFAULT_PREFIX,),
                why="its names begin with `LIMITS:`",
            ),
            Feature("storage.reset", needs=DATABASE, why=f"its script calls `KEYS`; {_KEYS}"),
        ),
        default_prefix="LIMITS:*",
        notes="Flask-Limiter and slowapi stand on it and take its options as `storage_options`.",
    ),
    Application(
        "dramatiq",
        "probe_dramatiq.py",
        "`namespace` twice, `use_namespace_prefix_keys`",
        (
            *_works("send, worker, result, delay, pipeline", "rate limits"),
            Feature(
                "messages of a worker that died are done by another",
                needs=DATABASE,
                why=f"its script calls `KEYS`; {_KEYS}",
            ),
            Feature(
                "without namespace",
                needs=(Grant.DEFAULT_PREFIX,),
                why="its names begin with `dramatiq`",
            ),
            Feature(
                "results without use_namespace_prefix_keys",
                never="their names are digests, which no prefix covers; set the option",
            ),
        ),
        default_prefix="dramatiq*",
        notes="Ask for a database of its own. Without one, what a worker was doing when it died "
        "stays undone, and each attempt to find it ends in `NoPermissionError`, once in a thousand "
        "calls with the default `maintenance_chance`.",
    ),
    Application(
        "walrus",
        "probe_walrus.py",
        "names that begin with the prefix, `__namespace__`, `get_temp_key`",
        (
            *_works(
                "containers: Hash, List, Set, ZSet",
                "Cache",
                "rate limits",
                "streams with consumer groups",
                "Autocomplete",
                "Model: create, query by index",
                "the Lock of redis-py instead",
            ),
            Feature("Autocomplete.flush", needs=DATABASE, why=_KEYS),
            Feature("Database.keys, iteration over the keys", needs=DATABASE, why=_KEYS),
            Feature(
                "Model: query without get_temp_key as above",
                never="its temporary keys begin with `temp.`",
            ),
            Feature(
                "Database.lock", never="its keys begin with `lock:`; take the Lock of redis-py"
            ),
        ),
        notes="Instead of `database.lock(name)`: `redis.lock.Lock(database, name, timeout=10)`.",
    ),
)
