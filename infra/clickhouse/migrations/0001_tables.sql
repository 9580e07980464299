CREATE TABLE IF NOT EXISTS curbstop.register_reads
(
    utility LowCardinality(String) COMMENT 'Utility (tenant) that owns the read',
    meter UInt64 COMMENT 'Meter key: random surrogate; hex() of it is the key in topics and in the registry',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    at DateTime('UTC') COMMENT 'Instant of the read, UTC' CODEC(Delta, ZSTD(1)),
    ml Int64 COMMENT 'Register value in millilitres, rounded once from the delivered value' CODEC(Delta, ZSTD(1)),
    delivered Float64 COMMENT 'Value as delivered, in `unit`' CODEC(ZSTD(1)),
    unit LowCardinality(String) COMMENT 'Unit as delivered',
    flags UInt16 COMMENT 'Bit field of schemas/flags.ts: 1 estimated, 2 adjusted, 4 suspect' CODEC(ZSTD(1)),
    register UInt16 COMMENT 'Number of the physical register of this meter; a change is a meter exchange' CODEC(ZSTD(1)),
    file UInt32 COMMENT 'Sequence number of the file that delivered it (table files)' CODEC(ZSTD(1)),
    line UInt32 COMMENT 'Line of that file, 1 is the first' CODEC(Delta, ZSTD(1)),
    version UInt64 COMMENT 'Standing of the read: actual before estimated, then the newer file, then the later line' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
-- The read's own month: a correction falls into the partition of what it corrects, so a merge can join the two.
PARTITION BY toYYYYMM(at)
-- utility: analysts and row policies see one utility; meter, channel: a curve lies together; at: its order, and the
-- identity of a read with the three before.
ORDER BY (utility, meter, channel, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Register reads as delivered, one row a read and correction. Query reads_current';

CREATE TABLE IF NOT EXISTS curbstop.intervals
(
    utility LowCardinality(String) COMMENT 'Utility (tenant) that owns the interval',
    meter UInt64 COMMENT 'Meter key: random surrogate; hex() of it is the key in topics and in the registry',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    start DateTime('UTC') COMMENT 'Beginning of the interval, UTC' CODEC(Delta, ZSTD(1)),
    length UInt32 COMMENT 'Seconds from its beginning to its end' CODEC(ZSTD(1)),
    ml Int64 COMMENT 'Volume in millilitres, rounded once' CODEC(ZSTD(1)),
    origin Enum8('delivered' = 1, 'register' = 2) COMMENT 'delivered: as in the file; register: difference of two register reads (see register_reads at both ends)',
    delivered Float64 COMMENT 'Value as delivered, in `unit`; 0 where derived from registers' CODEC(ZSTD(1)),
    unit LowCardinality(String) COMMENT 'Unit as delivered; empty where derived from registers',
    flags UInt16 COMMENT 'Bit field of schemas/flags.ts: 1 estimated, 2 adjusted, 4 suspect, 256 step back, 512 rollover, 4096 over capacity, 8192 hole' CODEC(ZSTD(1)),
    file UInt32 COMMENT 'Sequence number of the file that delivered it; 0 where derived' CODEC(ZSTD(1)),
    line UInt32 COMMENT 'Line of that file; 0 where derived' CODEC(Delta, ZSTD(1)),
    counts UInt8 COMMENT '0: overlapped by an interval of better standing, so not counted' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'Order of decisions: generation of the log, then offset of the message that led to the row' CODEC(Delta, ZSTD(1)),
    gone UInt8 DEFAULT 0 COMMENT '1: a derived interval that later reads replaced' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, gone)
-- The interval's own month: a correction falls into the partition of what it corrects.
PARTITION BY toYYYYMM(start)
-- utility: one utility at a time; meter, channel: a curve lies together; start: its order; origin: with the four before
-- the identity of an interval, since a delivered one that doesn't count may begin where a derived one does that counts.
ORDER BY (utility, meter, channel, start, origin)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Usage by interval with all corrections. Query usage';

CREATE TABLE IF NOT EXISTS curbstop.anomalies
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    id FixedString(32) COMMENT 'Id of the anomaly, given when it opened and kept through corrections',
    version UInt32 COMMENT '1 when it opened, one more with each change',
    rule LowCardinality(String) COMMENT 'continuous-flow or spike',
    rule_version UInt16 COMMENT 'Version of the rule that found it',
    state Enum8('opened' = 1, 'updated' = 2, 'closed' = 3, 'withdrawn' = 4) COMMENT 'Where it is in its life; withdrawn: later reads showed that it never was',
    reason LowCardinality(String) COMMENT 'Why it closed or was withdrawn; empty while it is open',
    start DateTime('UTC') COMMENT 'Beginning of the first interval that belongs to it',
    end DateTime('UTC') COMMENT 'End of the last interval that belongs to it so far',
    detected_at DateTime('UTC') COMMENT 'Event time at which the evidence first sufficed',
    rate Int64 COMMENT 'Millilitres an hour: of a continuous flow its lowest recent hour, of a spike its highest',
    volume Int64 COMMENT 'Millilitres in the intervals that belong to it',
    evidence String COMMENT 'JSON: parameters of the rule and the figures it saw',
    backfill UInt8 COMMENT '1: found in old reads delivered on purpose, so nobody was told'
)
ENGINE = ReplacingMergeTree(version)
-- utility: one utility at a time; meter: the life of a meter lies together; id: identity.
ORDER BY (utility, meter, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Anomalies with all their versions. Query anomalies_current';

CREATE TABLE IF NOT EXISTS curbstop.files
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    source LowCardinality(String) COMMENT 'Source (feed) that delivered the file',
    file UInt32 COMMENT 'Sequence number of the file',
    sha256 FixedString(64) COMMENT 'Checksum of its bytes, hex',
    state LowCardinality(String) COMMENT 'published, rejected or duplicate',
    correction UInt8 COMMENT '1: the same name came before with other bytes',
    bytes UInt64 COMMENT 'Size',
    rows UInt64 COMMENT 'Rows with reads',
    rejected UInt64 COMMENT 'Rows rejected',
    reads UInt64 COMMENT 'Reads published',
    meters UInt32 COMMENT 'Distinct meters',
    first_read Nullable(DateTime('UTC')) COMMENT 'First read, UTC',
    last_read Nullable(DateTime('UTC')) COMMENT 'Last read, UTC',
    claimed_at DateTime64(3, 'UTC') COMMENT 'When the file was taken from the drop folder',
    published_at DateTime64(3, 'UTC') COMMENT 'When its last read was durable in the log'
)
ENGINE = ReplacingMergeTree(published_at)
-- utility, source: one feed lies together; file: its order and identity.
ORDER BY (utility, source, file)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What became of each file. Query files_current';
