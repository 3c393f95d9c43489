"""What a data directory holds, judged from its files: any damage that can be seen is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valkey_operator.rules.append_only import (
    Condition,
    Data,
    DataFiles,
    DataRecord,
    damage_in,
    judge,
)

BASE, INCREMENTAL = "appendonly.aof.3.base.rdb", "appendonly.aof.5.incr.aof"
MANIFEST = (
    f"file {BASE} seq 3 type b\n"
    "file appendonly.aof.4.incr.aof seq 4 type h\n"
    f"file {INCREMENTAL} seq 5 type i\n"
)
SIZES = {BASE: 900, INCREMENTAL: 4000, "appendonly.aof.manifest": len(MANIFEST)}
RECORD = DataRecord(
    epoch=7,
    replication_id="a" * 40,
    offset=99,
    time=1000.5,
    others=("10.0.0.2",),
    unit="valkey/1",
    address="10.0.0.1",
    sizes=SIZES,
)


def condition(files: DataFiles) -> Condition:
    return judge(files).condition


def test_complete_files_are_present_and_as_new_as_their_last_write() -> None:
    tail = b"#TS:1700000001\r\n*1\r\n$4\r\nPING\r\n#TS:1700000009\r\n*1\r\n"
    data = judge(DataFiles(SIZES, MANIFEST, tail, RECORD.text()))
    assert data == Data(Condition.PRESENT, "", RECORD, 1700000009)
    assert data.time == 1700000009


def test_a_directory_without_files_of_the_server_is_empty() -> None:
    assert condition(DataFiles({})) is Condition.EMPTY
    assert condition(DataFiles({"lost+found": 0, "temp-1.rdb": 9})) is Condition.EMPTY
    assert judge(DataFiles({}, record=RECORD.text())).record == RECORD


@pytest.mark.parametrize(
    ("sizes", "manifest", "problem"),
    [
        (SIZES, None, f"appendonlydir/appendonly.aof.manifest is missing, but {BASE} is there"),
        (SIZES, "", "appendonlydir/appendonly.aof.manifest is empty"),
        (SIZES, "\x00" * 80, "appendonlydir/appendonly.aof.manifest has a line that is no entry"),
        (
            SIZES,
            "file appendonly.aof.4.incr.aof seq 4 type h\n",
            "appendonlydir/appendonly.aof.manifest lists no data",
        ),
        ({INCREMENTAL: 1}, MANIFEST, f"appendonlydir/{BASE} is missing"),
        ({BASE: 900}, MANIFEST, f"appendonlydir/{INCREMENTAL} is missing"),
        ({BASE: 0, INCREMENTAL: 1}, MANIFEST, f"appendonlydir/{BASE} is empty"),
        (
            {BASE: 450, INCREMENTAL: 4000},
            MANIFEST,
            f"appendonlydir/{BASE} has 450 bytes, but had 900",
        ),
        (
            {BASE: 900, INCREMENTAL: 10},
            MANIFEST,
            f"appendonlydir/{INCREMENTAL} has 10 bytes, but had 4000",
        ),
    ],
)
def test_damage_is_named(sizes: dict[str, int], manifest: str | None, problem: str) -> None:
    data = judge(DataFiles(sizes, manifest, record=RECORD.text()))
    assert (data.condition, data.problem) == (Condition.DAMAGED, problem)


@given(st.integers(0, len(MANIFEST) - 1), st.sets(st.sampled_from([BASE, INCREMENTAL])))
def test_a_manifest_that_was_cut_never_counts_as_empty(length: int, kept: set[str]) -> None:
    """A server with a manifest that lists less than there was would start without it."""
    sizes = {name: SIZES[name] for name in kept}
    data = judge(DataFiles(sizes, MANIFEST[:length], record=RECORD.text()))
    if data.condition is Condition.PRESENT:
        assert all(name in kept for name in (BASE,))
    else:
        assert data.condition is Condition.DAMAGED


@given(st.text())
def test_a_record_that_cannot_be_read_counts_as_none(text: str) -> None:
    assert DataRecord.read(text) is None


@given(
    st.builds(
        DataRecord,
        epoch=st.integers(0),
        replication_id=st.text(),
        offset=st.integers(0),
        time=st.floats(0, 1e12),
        others=st.lists(st.text()).map(tuple),
        is_final=st.booleans(),
        unit=st.text(),
        address=st.text(),
        sizes=st.dictionaries(st.text(), st.integers(0)),
    )
)
def test_a_record_is_read_as_it_was_written(record: DataRecord) -> None:
    assert DataRecord.read(record.text()) == record


@pytest.mark.parametrize(
    "line",
    [
        "# Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup",
        "# Fatal error: Unable to obtain the AOF file appendonly.aof.1.base.rdb length. stat: No",
        "# Check RDB returned error, failed opening the RDB file. Exit",
        "# Short read or OOM loading DB. Unrecoverable error, aborting now.",
        "# Fatal error: the AOF manifest appendonly.aof.manifest is empty",
    ],
)
def test_the_line_that_says_why_a_server_cannot_load_its_data_is_found(line: str) -> None:
    log = f"1:M 27 Nov * DB loaded\n1:M 27 Nov 2026 10:00:00.000 {line}\n1:M 27 Nov # Exit\n"
    assert damage_in(log) == line.removeprefix("# ")
    assert condition(DataFiles(SIZES, MANIFEST, log=log)) is Condition.DAMAGED
    assert condition(DataFiles({}, log=log)) is Condition.EMPTY
    assert damage_in("1:M 27 Nov # Could not create server TCP listening socket: in use") == ""
