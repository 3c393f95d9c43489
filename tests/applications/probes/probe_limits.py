# /// script
# requires-python = ">=3.11"
# dependencies = ["limits==5.8.0", "valkey==6.2.0"]
# ///
"""limits, the rate limiter under Flask-Limiter and slowapi."""

# --8<-- [start:settings]
import os

from limits.storage import storage_from_string

storage = storage_from_string(
    os.environ["VALKEY_URL"],
    key_prefix=os.environ["VALKEY_PREFIX"].removesuffix(":*"),
)
# --8<-- [end:settings]

import uuid

import limits
from limits.strategies import (
    FixedWindowRateLimiter,
    MovingWindowRateLimiter,
    SlidingWindowCounterRateLimiter,
)
from report import URL, feature, run

two = limits.parse("2/hour")


def use(strategy, store=storage):
    limiter = strategy(store)
    someone = uuid.uuid4().hex
    assert [limiter.hit(two, someone) for _ in range(3)] == [True, True, False]
    assert limiter.get_window_stats(two, someone).remaining == 0
    limiter.clear(two, someone)
    assert limiter.test(two, someone)


@feature("fixed window")
def fixed():
    use(FixedWindowRateLimiter)


@feature("moving window")
def moving():
    use(MovingWindowRateLimiter)


@feature("sliding window counter")
def sliding():
    use(SlidingWindowCounterRateLimiter)


@feature("asyncio")
async def asynchronous():
    import limits.aio.strategies

    store = storage_from_string(
        f"async+{URL}",
        key_prefix=os.environ["VALKEY_PREFIX"].removesuffix(":*"),
        implementation="valkey",
    )
    limiter = limits.aio.strategies.FixedWindowRateLimiter(store)
    someone = uuid.uuid4().hex
    assert [await limiter.hit(two, someone) for _ in range(3)] == [True, True, False]


@feature("Sentinel")
def sentinel():
    # --8<-- [start:sentinel]
    account = {
        "username": os.environ["VALKEY_USERNAME"],
        "password": os.environ["VALKEY_PASSWORD"],
    }
    storage = storage_from_string(
        f"valkey+sentinel://{os.environ['VALKEY_SENTINELS']}/{os.environ['VALKEY_PRIMARY_NAME']}",
        key_prefix=os.environ["VALKEY_PREFIX"].removesuffix(":*"),
        # A check that reads from a replica may be late.
        use_replicas=False,
        db=int(os.environ["VALKEY_DATABASE"]),
        sentinel_kwargs=account,
        **account,
    )
    # --8<-- [end:sentinel]
    use(FixedWindowRateLimiter, storage)


@feature("without key_prefix")
def default_prefix():
    use(FixedWindowRateLimiter, storage_from_string(URL))


@feature("storage.reset")
def reset():
    FixedWindowRateLimiter(storage).hit(two, "someone")
    assert storage.reset()


if __name__ == "__main__":
    run()
