# /// script
# requires-python = ">=3.11"
# dependencies = ["celery[redis]==5.7.0", "redis==8.1.0"]
# ///
"""Celery, with its broker and its results on Valkey."""

# --8<-- [start:settings]
import os

from celery import Celery

# Celery knows the schemes redis:// and rediss:// only.
url = os.environ["VALKEY_URL"].replace("valkey", "redis", 1)
options = {"global_keyprefix": os.environ["VALKEY_PREFIX"].removesuffix("*")}

app = Celery("application", broker=url, backend=url)
app.conf.broker_transport_options = options
app.conf.result_backend_transport_options = options
# --8<-- [end:settings]

import contextlib
import functools

import redis
from celery import chain, chord
from report import WAIT, feature, process, run, wait_until

if "WITHOUT_CHANNELS" in os.environ:
    app.conf.worker_enable_remote_control = False


def follow_failovers():
    # --8<-- [start:sentinel]
    user = url.removeprefix("redis://").partition("@")[0]
    sentinels = ";".join(
        f"sentinel://{user}@{node}/{os.environ['VALKEY_DATABASE']}"
        for node in os.environ["VALKEY_SENTINELS"].split(",")
    )
    options["master_name"] = os.environ["VALKEY_PRIMARY_NAME"]
    options["sentinel_kwargs"] = {
        "username": os.environ["VALKEY_USERNAME"],
        "password": os.environ["VALKEY_PASSWORD"],
    }
    app.conf.broker_url = app.conf.result_backend = sentinels
    # --8<-- [end:sentinel]


if "SENTINEL" in os.environ:
    follow_failovers()
app.conf.task_default_queue = "probe"
app.conf.broker_connection_retry_on_startup = False

UNRECOVERABLE = "Unrecoverable error"
workers = contextlib.ExitStack()


@app.task(name="add")
def add(one, other):
    return one + other


@app.task(name="total")
def total(numbers):
    return sum(numbers)


def worker(*options):
    """A real worker that runs the tasks of this file."""
    command = ["-m", "celery", "-A", "probe_celery", "worker", "-c", "2", "-l", "INFO"]
    return process(*command, *options, ready=" ready.")


def use():
    assert add.delay(1, 2).get(timeout=WAIT) == 3
    assert chain(add.s(1, 2), add.s(3))().get(timeout=WAIT) == 6
    assert chord([add.s(1, 1), add.s(2, 2)])(total.s()).get(timeout=WAIT) == 6
    assert add.apply_async((1, 2), countdown=0.1).get(timeout=WAIT) == 3


def use_elsewhere(**environment):
    """A worker without what needs more channels, and a client, both with these variables."""
    os.environ.update(environment, WITHOUT_CHANNELS="1")
    try:
        with worker("--without-gossip", "--without-mingle"):
            client = ["-c", "import probe_celery; probe_celery.use(); print('all done')"]
            with process(*client, ready="all done"):
                pass
    finally:
        for name in (*environment, "WITHOUT_CHANNELS"):
            del os.environ[name]


@feature("worker without remote control, gossip and mingle: delay, chain, chord, countdown")
def restricted_worker():
    use_elsewhere()


@feature("the same worker with Sentinel")
def restricted_worker_with_sentinel():
    use_elsewhere(SENTINEL="1")


@functools.cache
def default_worker():
    """A worker with its defaults that answers, or has ended."""
    child = workers.enter_context(worker("-E"))
    # A worker that may not use its channels says that it is ready all the same.
    wait_until(lambda: child.has_said(UNRECOVERABLE) or answers(), "the worker to answer")
    return child


def require_default_worker():
    if default_worker().has_said(UNRECOVERABLE):
        raise RuntimeError(default_worker().error())


def answers():
    """Whether the worker answers; a client without the channels cannot ask it."""
    try:
        return app.control.ping(timeout=0.5)
    except redis.exceptions.NoPermissionError:
        return False


@feature("worker with its defaults and -E: delay, chain, chord, countdown")
def use_default_worker():
    require_default_worker()
    use()


@feature("inspect")
def inspect():
    require_default_worker()
    wait_until(lambda: app.control.inspect(timeout=1).ping(), "an answer")


@feature("revoke")
def revoke():
    require_default_worker()
    later = add.apply_async((1, 2), countdown=3600)
    later.revoke()
    wait_until(lambda: later.id in str(app.control.inspect(timeout=1).revoked()), "revoked")


@feature("events")
def events():
    require_default_worker()
    heard = []
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": heard.append})
        for _ in receiver.itercapture(timeout=WAIT, wakeup=False):
            if heard:
                break
    assert heard


@feature("purge")
def purge():
    app.control.purge()


if __name__ == "__main__":
    with workers:
        run()
