# /// script
# requires-python = ">=3.11"
# dependencies = ["dramatiq==2.2.1", "redis==8.1.0"]
# ///
"""dramatiq, with a real worker."""

# --8<-- [start:settings]
import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

# redis-py, which dramatiq uses, knows the schemes redis:// and rediss:// only.
url = os.environ["VALKEY_URL"].replace("valkey", "redis", 1)
prefix = os.environ["VALKEY_PREFIX"].removesuffix("*")

broker = RedisBroker(url=url, namespace=f"{prefix}dramatiq")
results = RedisBackend(
    url=url, namespace=f"{prefix}dramatiq-results", use_namespace_prefix_keys=True
)
broker.add_middleware(Results(backend=results))
dramatiq.set_broker(broker)
# --8<-- [end:settings]

import dramatiq.rate_limits
from dramatiq.brokers.redis import MAINTENANCE_SCALE
from dramatiq.rate_limits.backends import RedisBackend as RateLimiterBackend
from report import PREFIX, WAIT, feature, process, run, wait_until


@dramatiq.actor(store_results=True)
def add(one, other):
    return one + other


def worker():
    return process("-m", "dramatiq", "probe_dramatiq", "-p", "1", "-t", "1", ready="is ready")


@feature("send, worker, result, delay, pipeline")
def send():
    with worker():
        assert add.send(1, 2).get_result(block=True, timeout=WAIT * 1000) == 3
        later = add.send_with_options(args=(1, 3), delay=100)
        assert later.get_result(block=True, timeout=WAIT * 1000) == 4
        chained = (add.message(1, 2) | add.message(3)).run()
        assert chained.get_result(block=True, timeout=WAIT * 1000) == 6


@feature("rate limits")
def rate_limit():
    backend = RateLimiterBackend(url=url)
    limiter = dramatiq.rate_limits.ConcurrentRateLimiter(backend, f"{PREFIX}limit", limit=1)
    with limiter.acquire() as first, limiter.acquire(raise_on_failure=False) as second:
        assert first and not second


@feature("results without use_namespace_prefix_keys")
def hashed_results():
    backend = RedisBackend(url=url, namespace=f"{prefix}dramatiq-results")
    backend.store_result(add.message(1, 2), 3, 1000)


@feature("without namespace")
def default_namespace():
    RedisBroker(url=url).do_qsize("probe")


@feature("messages of a worker that died are done by another")
def recovery():
    """A worker takes a message and is not heard of again; another does the maintenance."""
    namespace = f"{prefix}dramatiq-recovery"
    options = {"url": url, "namespace": namespace, "heartbeat_timeout": 100}
    dead, alive = RedisBroker(**options), RedisBroker(**options)
    alive.maintenance_chance = MAINTENANCE_SCALE
    for each in (dead, alive):
        each.declare_queue("work")
    message = add.message(1, 2).copy(queue_name="work")
    dead.enqueue(message)
    assert next(dead.consume("work", timeout=1000))
    taken = []

    def take():
        taken.append(next(alive.consume("work", timeout=1000)))
        return taken[-1]

    wait_until(take, "the message")
    assert taken[-1].message_id == message.message_id


if __name__ == "__main__":
    run()
