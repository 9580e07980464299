-- Flags of devices take more than 16 bits. Columns that are the same along a file are compressed by LZ4: as small as by
-- ZSTD, and quicker to write and to merge.
ALTER TABLE curbstop.register_reads
    MODIFY COLUMN flags UInt32 COMMENT 'Bit field of schemas/flags.ts: 1 estimated, 2 adjusted, 4 suspect, 8 and more as reported by the device' CODEC(LZ4),
    MODIFY COLUMN register UInt16 CODEC(LZ4),
    MODIFY COLUMN file UInt32 CODEC(LZ4),
    MODIFY COLUMN line UInt32 CODEC(Delta, LZ4),
    MODIFY COLUMN version UInt64 CODEC(Delta, LZ4);

ALTER TABLE curbstop.intervals
    MODIFY COLUMN length UInt32 CODEC(LZ4),
    MODIFY COLUMN flags UInt32 COMMENT 'Bit field of schemas/flags.ts: 1 estimated, 2 adjusted, 4 suspect, 256 step back, 512 rollover, 4096 over capacity, 8192 hole' CODEC(LZ4),
    MODIFY COLUMN file UInt32 CODEC(LZ4),
    MODIFY COLUMN line UInt32 CODEC(Delta, LZ4),
    MODIFY COLUMN counts UInt8 CODEC(LZ4),
    MODIFY COLUMN version UInt64 CODEC(LZ4),
    MODIFY COLUMN gone UInt8 DEFAULT 0 CODEC(LZ4);

-- Merging a few parts of good size at a time writes every row several times. Ten parts at once write it once; until then
-- FINAL joins them as they are read.
ALTER TABLE curbstop.register_reads MODIFY SETTING min_parts_to_merge_at_once = 10;

ALTER TABLE curbstop.intervals MODIFY SETTING min_parts_to_merge_at_once = 10;

DROP VIEW IF EXISTS curbstop.reads_current;

CREATE VIEW IF NOT EXISTS curbstop.reads_current
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    at DateTime('UTC') COMMENT 'Instant of the read, UTC',
    ml Int64 COMMENT 'Register value in millilitres',
    delivered Float64 COMMENT 'Value as delivered, in `unit`',
    unit LowCardinality(String) COMMENT 'Unit as delivered',
    flags UInt32 COMMENT 'Bit field of schemas/flags.ts',
    register UInt16 COMMENT 'Number of the physical register of this meter',
    file UInt32 COMMENT 'File that delivered it',
    line UInt32 COMMENT 'Line of that file'
)
AS SELECT utility, meter, channel, at, ml, delivered, unit, flags, register, file, line
FROM curbstop.register_reads FINAL
COMMENT 'Register reads as they stand after all corrections';

DROP VIEW IF EXISTS curbstop.usage_daily;

DROP VIEW IF EXISTS curbstop.usage;

CREATE VIEW IF NOT EXISTS curbstop.usage
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    start DateTime('UTC') COMMENT 'Beginning of the interval, UTC',
    length UInt32 COMMENT 'Seconds from its beginning to its end',
    ml Int64 COMMENT 'Volume in millilitres',
    litres Float64 COMMENT 'The same in litres',
    estimated Bool COMMENT 'The head-end estimated it',
    origin Enum8('delivered' = 1, 'register' = 2) COMMENT 'delivered: as in the file; register: difference of two register reads',
    delivered Nullable(Float64) COMMENT 'Value as delivered, in `unit`; null where derived',
    unit LowCardinality(String) COMMENT 'Unit as delivered; empty where derived',
    flags UInt32 COMMENT 'Bit field of schemas/flags.ts',
    file UInt32 COMMENT 'File that delivered it; 0 where derived',
    line UInt32 COMMENT 'Line of that file; 0 where derived'
)
AS SELECT utility, meter, channel, start, length, ml, ml / 1000 AS litres, bitTest(flags, 0) = 1 AS estimated, origin,
          if(origin = 'register', NULL, delivered) AS delivered, unit, flags, file, line
FROM curbstop.intervals FINAL
WHERE counts = 1
COMMENT 'Usage by interval as it stands after all corrections, no time counted twice';

CREATE VIEW IF NOT EXISTS curbstop.usage_daily
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    day Date COMMENT 'UTC day in which the intervals begin',
    litres Float64 COMMENT 'Volume of all registers together',
    hours Float64 COMMENT 'Hours covered by reads',
    estimated_litres Float64 COMMENT 'Part of it that was estimated'
)
AS SELECT utility, meter, toDate(u.start) AS day, sum(u.litres) AS litres, sum(u.length) / 3600 AS hours,
          sumIf(u.litres, u.estimated) AS estimated_litres
FROM curbstop.usage AS u
GROUP BY utility, meter, day
COMMENT 'Usage by meter and UTC day after all corrections';
