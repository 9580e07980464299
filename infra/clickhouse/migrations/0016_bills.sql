CREATE TABLE IF NOT EXISTS curbstop.bills
(
    utility LowCardinality(String) COMMENT 'Utility (tenant) that owns the bill',
    meter UInt64 COMMENT 'Meter key: random surrogate; hex() of it is the key in topics and in the registry',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    start DateTime('UTC') COMMENT 'Beginning of what is billed, UTC' CODEC(Delta, ZSTD(1)),
    length UInt32 COMMENT 'Seconds from its beginning to its end' CODEC(ZSTD(1)),
    ml Int64 COMMENT 'Volume in millilitres, rounded once from the delivered value' CODEC(ZSTD(1)),
    delivered Float64 COMMENT 'Value as delivered, in `unit`' CODEC(ZSTD(1)),
    unit LowCardinality(String) COMMENT 'Unit as delivered',
    flags UInt32 COMMENT 'Bit field of schemas/flags.ts: 1 estimated, 2 adjusted, 4 suspect' CODEC(ZSTD(1)),
    file UInt32 COMMENT 'Sequence number of the file that delivered it (table files)' CODEC(ZSTD(1)),
    line UInt32 COMMENT 'Line of that file, 1 is the first' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(start)
-- utility: one utility at a time; meter, channel: a meter's bills lie together; start: their order; file, line: with the
-- four before the identity of what was delivered.
ORDER BY (utility, meter, channel, start, file, line)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Volumes billed for more than a day, as delivered: those that others replaced as well. Query bills_current';

CREATE VIEW IF NOT EXISTS curbstop.bills_current
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    start DateTime('UTC') COMMENT 'Beginning of what is billed, UTC',
    end DateTime('UTC') COMMENT 'Its end, UTC',
    litres Float64 COMMENT 'Volume billed',
    estimated UInt8 COMMENT '1: the read it ends with was estimated',
    file UInt32 COMMENT 'File that delivered it',
    line UInt32 COMMENT 'Line of that file'
)
AS SELECT utility, meter, channel, start, start + length AS end, ml / 1000 AS litres, bitTest(flags, 0) AS estimated, file, line
FROM curbstop.bills FINAL
ORDER BY bitTest(flags, 0), file DESC, line DESC
LIMIT 1 BY utility, meter, channel, start
COMMENT 'Bills that stand: of several that begin alike an actual one before an estimated one, then that of the newest file';

CREATE VIEW IF NOT EXISTS curbstop.bill_check
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    start DateTime('UTC') COMMENT 'Beginning of what is billed, UTC',
    end DateTime('UTC') COMMENT 'Its end, UTC',
    billed_litres Float64 COMMENT 'Volume billed',
    usage_litres Float64 COMMENT 'Sum of the intervals that lie between the two',
    covered Float64 COMMENT 'Share of that time that intervals cover: 1 where none is missing',
    difference_litres Float64 COMMENT 'Usage less what was billed; says something where covered is 1'
)
AS SELECT b.utility AS utility, b.meter AS meter, b.channel AS channel, b.start AS start, any(b.end) AS end,
          any(b.litres) AS billed_litres, sum(i.ml) / 1000 AS usage_litres,
          sum(i.length) / (toUnixTimestamp(end) - toUnixTimestamp(start)) AS covered,
          usage_litres - billed_litres AS difference_litres
FROM (SELECT * FROM curbstop.intervals FINAL WHERE counts = 1) AS i
ASOF INNER JOIN curbstop.bills_current AS b
    ON b.utility = i.utility AND b.meter = i.meter AND b.channel = i.channel AND i.start >= b.start
WHERE i.start + i.length <= b.end
GROUP BY b.utility, b.meter, b.channel, b.start
COMMENT 'Meters with bills and intervals: what was billed against the sum of the intervals in that time';
