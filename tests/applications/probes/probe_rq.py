# /// script
# requires-python = ">=3.11"
# dependencies = ["rq==3.0.0", "redis==8.1.0"]
# ///
"""RQ, with a real worker."""

# --8<-- [start:settings]
import os

# In the environment of the application and of `rq worker`, before rq is imported.
os.environ["RQ_KEY_PREFIX"] = os.environ["VALKEY_PREFIX"].removesuffix(":*")
# redis-py, which RQ uses, knows the schemes redis:// and rediss:// only.
os.environ["RQ_REDIS_URL"] = os.environ["VALKEY_URL"].replace("valkey", "redis", 1)

import redis
import rq

queue = rq.Queue(connection=redis.Redis.from_url(os.environ["RQ_REDIS_URL"]))
# --8<-- [end:settings]

import subprocess
import sys
from datetime import timedelta

from report import WAIT, feature, process, run, wait_until


def work(*options):
    """Let a real worker do what there is to do."""
    done = subprocess.run(
        [sys.executable, "-m", "rq.cli", "worker", "--burst", *options],
        capture_output=True, text=True, timeout=WAIT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]


@feature("enqueue, worker, result")
def enqueue():
    job = queue.enqueue(pow, 2, 10)
    work()
    assert job.return_value() == 1024


@feature("a job that fails, and requeue")
def failure():
    job = queue.enqueue(divmod, 1, 0)
    work()
    assert job.get_status(refresh=True) == "failed"
    job.requeue()
    assert job.id in queue.job_ids
    job.delete()


@feature("dependencies")
def dependencies():
    first = queue.enqueue(pow, 2, 2)
    second = queue.enqueue(pow, 2, 3, depends_on=first)
    work()
    assert second.return_value() == 8


@feature("enqueue_in, with a scheduler")
def schedule():
    job = queue.enqueue_in(timedelta(seconds=0), pow, 2, 4)
    with process("-m", "rq.cli", "worker", "--with-scheduler", ready="Listening on"):
        wait_until(lambda: job.return_value() == 16, "the scheduled job")


@feature("list workers, send a command to one")
def commands():
    with process("-m", "rq.cli", "worker", ready="Listening on"):
        (worker,) = rq.Worker.all(connection=queue.connection)
        rq.command.send_shutdown_command(queue.connection, worker.name)
        wait_until(lambda: not rq.Worker.all(connection=queue.connection), "the end of the worker")


@feature("without RQ_KEY_PREFIX")
def default_prefix():
    code = (
        "import os, redis, rq;"
        "rq.Queue(connection=redis.Redis.from_url(os.environ['RQ_REDIS_URL'])).enqueue(pow, 2, 2)"
    )
    environment = {name: v for name, v in os.environ.items() if name != "RQ_KEY_PREFIX"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])


if __name__ == "__main__":
    run()
