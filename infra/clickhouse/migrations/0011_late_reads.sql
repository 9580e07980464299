CREATE VIEW IF NOT EXISTS curbstop.late_reads
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    kind Enum8('register' = 1, 'usage' = 2) COMMENT 'register: value at an instant; usage: volume of an interval',
    at DateTime('UTC') COMMENT 'Instant of the register read or beginning of the interval, UTC',
    hours_late Float64 COMMENT 'Hours from the read, of an interval from its end, until its file was taken',
    source LowCardinality(String) COMMENT 'Source (feed) of the file that delivered it',
    file UInt32 COMMENT 'File that delivered it'
)
AS SELECT r.utility AS utility, r.meter AS meter, r.channel AS channel, r.kind AS kind, r.at AS at,
          (toUnixTimestamp64Milli(f.claimed_at) / 1000 - toUnixTimestamp(r.ended)) / 3600 AS hours_late,
          f.source AS source, r.file AS file
FROM
(
    SELECT utility, meter, channel, CAST('usage', 'Enum8(''register'' = 1, ''usage'' = 2)') AS kind, start AS at, start + length AS ended, file
    FROM curbstop.intervals FINAL
    WHERE origin = 'delivered'
    UNION ALL
    SELECT utility, meter, channel, CAST('register', 'Enum8(''register'' = 1, ''usage'' = 2)') AS kind, at, at AS ended, file
    FROM curbstop.register_reads FINAL
) AS r
INNER JOIN (SELECT utility, source, file, max(claimed_at) AS claimed_at FROM curbstop.files GROUP BY utility, source, file) AS f
    ON f.utility = r.utility AND f.file = r.file
WHERE hours_late >= 72
COMMENT 'Reads as they stand that came three days or more after their time, with the file that brought them'
