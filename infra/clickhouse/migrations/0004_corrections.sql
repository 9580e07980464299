CREATE TABLE IF NOT EXISTS curbstop.superseded_reads
(
    utility LowCardinality(String) COMMENT 'Utility (tenant) that owns the read',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    kind Enum8('register' = 1, 'usage' = 2) COMMENT 'register: value at an instant; usage: volume of an interval',
    at DateTime('UTC') COMMENT 'Instant of the register read or beginning of the interval, UTC',
    length UInt32 COMMENT 'Seconds from the beginning of the interval to its end; 0 for register reads',
    ml Int64 COMMENT 'Register value or volume in millilitres',
    flags UInt32 COMMENT 'Bit field of schemas/flags.ts',
    file UInt32 COMMENT 'Sequence number of the file that delivered it',
    line UInt32 COMMENT 'Line of that file'
)
ENGINE = ReplacingMergeTree
-- The read's own month, as in the tables of those that stand.
PARTITION BY toYYYYMM(at)
-- utility, meter, channel, kind, at: beside the read that stands; file, line: the identity of a delivered read.
ORDER BY (utility, meter, channel, kind, at, file, line)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Reads that another read of the same time stands above: earlier values, later estimates, copies. Query corrections';

CREATE VIEW IF NOT EXISTS curbstop.corrections
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    kind Enum8('register' = 1, 'usage' = 2) COMMENT 'register: value at an instant; usage: volume of an interval',
    at DateTime('UTC') COMMENT 'Instant of the register read or beginning of the interval, UTC',
    outcome Enum8('corrected' = 1, 'refused' = 2) COMMENT 'corrected: a later file changed the value; refused: a later file brought a value of lower standing (an estimate for an actual read)',
    other_litres Float64 COMMENT 'The value that does not stand',
    other_estimated Bool COMMENT 'It was an estimate',
    other_file UInt32 COMMENT 'File that delivered it',
    other_line UInt32 COMMENT 'Line of that file',
    litres Float64 COMMENT 'The value that stands',
    estimated Bool COMMENT 'It is an estimate',
    file UInt32 COMMENT 'File that delivered it',
    line UInt32 COMMENT 'Line of that file',
    decided_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the later of the two files was published'
)
AS SELECT r.utility AS utility, r.meter AS meter, r.channel AS channel, r.kind AS kind, r.at AS at,
          if(s.file > r.file, 'refused', 'corrected') AS outcome,
          s.ml / 1000 AS other_litres, bitTest(s.flags, 0) = 1 AS other_estimated, s.file AS other_file, s.line AS other_line,
          r.ml / 1000 AS litres, bitTest(r.flags, 0) = 1 AS estimated, r.file AS file, r.line AS line,
          if(f.file = 0, NULL, f.published_at) AS decided_at
FROM
(
    SELECT utility, meter, channel, CAST('usage', 'Enum8(''register'' = 1, ''usage'' = 2)') AS kind, start AS at, length, ml, flags, file, line
    FROM curbstop.intervals FINAL
    WHERE origin = 'delivered' AND (utility, meter, channel, start) IN
        (SELECT utility, meter, channel, at FROM curbstop.superseded_reads WHERE kind = 'usage')
    UNION ALL
    SELECT utility, meter, channel, CAST('register', 'Enum8(''register'' = 1, ''usage'' = 2)') AS kind, at, 0 AS length, ml, flags, file, line
    FROM curbstop.register_reads FINAL
    WHERE (utility, meter, channel, at) IN
        (SELECT utility, meter, channel, at FROM curbstop.superseded_reads WHERE kind = 'register')
) AS r
INNER JOIN (SELECT * FROM curbstop.superseded_reads FINAL) AS s
    ON s.utility = r.utility AND s.meter = r.meter AND s.channel = r.channel AND s.kind = r.kind AND s.at = r.at
LEFT JOIN (SELECT utility, file, max(published_at) AS published_at FROM curbstop.files GROUP BY utility, file) AS f
    ON f.utility = r.utility AND f.file = greatest(r.file, s.file)
WHERE s.ml != r.ml OR s.length != r.length OR bitTest(s.flags, 0) != bitTest(r.flags, 0)
COMMENT 'Each value that another one replaced or kept out: what was corrected, when, and by which file. Copies with the same value are left out';
