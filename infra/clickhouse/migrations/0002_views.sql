CREATE VIEW IF NOT EXISTS curbstop.reads_current
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    at DateTime('UTC') COMMENT 'Instant of the read, UTC',
    ml Int64 COMMENT 'Register value in millilitres',
    delivered Float64 COMMENT 'Value as delivered, in `unit`',
    unit LowCardinality(String) COMMENT 'Unit as delivered',
    flags UInt16 COMMENT 'Bit field of schemas/flags.ts',
    register UInt16 COMMENT 'Number of the physical register of this meter',
    file UInt32 COMMENT 'File that delivered it',
    line UInt32 COMMENT 'Line of that file'
)
AS SELECT utility, meter, channel, at, ml, delivered, unit, flags, register, file, line
FROM curbstop.register_reads FINAL
COMMENT 'Register reads as they stand after all corrections';

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
    flags UInt16 COMMENT 'Bit field of schemas/flags.ts',
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

CREATE VIEW IF NOT EXISTS curbstop.anomalies_current
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    id FixedString(32) COMMENT 'Id of the anomaly',
    version UInt32 COMMENT 'Number of its changes',
    rule LowCardinality(String) COMMENT 'continuous-flow or spike',
    state Enum8('opened' = 1, 'updated' = 2, 'closed' = 3, 'withdrawn' = 4) COMMENT 'opened and updated: it goes on',
    reason LowCardinality(String) COMMENT 'Why it closed',
    start DateTime('UTC') COMMENT 'Beginning, UTC',
    end DateTime('UTC') COMMENT 'End so far, UTC',
    detected_at DateTime('UTC') COMMENT 'When the evidence first sufficed, UTC',
    litres_per_hour Float64 COMMENT 'Rate: lowest recent hour of a continuous flow, highest hour of a spike',
    litres Float64 COMMENT 'Volume so far',
    evidence String COMMENT 'JSON: parameters and figures seen'
)
AS SELECT utility, meter, id, version, rule, state, reason, start, end, detected_at,
          rate / 1000 AS litres_per_hour, volume / 1000 AS litres, evidence
FROM curbstop.anomalies FINAL
WHERE state != 'withdrawn'
COMMENT 'Anomalies as they stand, without the withdrawn';

CREATE VIEW IF NOT EXISTS curbstop.files_current
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    source LowCardinality(String) COMMENT 'Source (feed)',
    file UInt32 COMMENT 'Sequence number of the file',
    state LowCardinality(String) COMMENT 'published, rejected or duplicate',
    correction UInt8 COMMENT '1: the same name came before with other bytes',
    rows UInt64 COMMENT 'Rows with reads',
    rejected UInt64 COMMENT 'Rows rejected',
    reads UInt64 COMMENT 'Reads published',
    meters UInt32 COMMENT 'Distinct meters',
    first_read Nullable(DateTime('UTC')) COMMENT 'First read, UTC',
    last_read Nullable(DateTime('UTC')) COMMENT 'Last read, UTC',
    published_at DateTime64(3, 'UTC') COMMENT 'When its last read was durable in the log'
)
AS SELECT utility, source, file, state, correction, rows, rejected, reads, meters, first_read, last_read, published_at
FROM curbstop.files FINAL
COMMENT 'What became of each file';

CREATE VIEW IF NOT EXISTS curbstop.freshness
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    source LowCardinality(String) COMMENT 'Source (feed)',
    files UInt64 COMMENT 'Files published',
    last_file DateTime64(3, 'UTC') COMMENT 'When the newest file was published',
    last_read Nullable(DateTime('UTC')) COMMENT 'Newest read of any file',
    reads UInt64 COMMENT 'Reads published',
    rejected UInt64 COMMENT 'Rows rejected'
)
AS SELECT utility, source, countIf(f.state = 'published') AS files, max(f.published_at) AS last_file,
          max(f.last_read) AS last_read, sum(f.reads) AS reads, sum(f.rejected) AS rejected
FROM curbstop.files_current AS f
GROUP BY utility, source
COMMENT 'How fresh and complete each feed is';
