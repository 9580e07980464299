CREATE VIEW IF NOT EXISTS curbstop.leaks
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    rule LowCardinality(String) COMMENT 'Rule that found it, see docs/rules.md',
    open Bool COMMENT 'It goes on as far as reads tell',
    start DateTime('UTC') COMMENT 'Beginning, UTC',
    end DateTime('UTC') COMMENT 'End so far, UTC',
    detected_at DateTime('UTC') COMMENT 'When the evidence first sufficed, UTC',
    hours Float64 COMMENT 'Hours from beginning to end so far',
    litres_per_hour Float64 COMMENT 'Rate of the leak; of a burst the highest',
    litres Float64 COMMENT 'All that the meter measured in that time',
    litres_lost Float64 COMMENT 'Rate times hours, and no more than was measured',
    evidence String COMMENT 'JSON: what was seen and what was needed'
)
AS SELECT utility, meter, rule, toBool(state IN ('opened', 'updated')) AS open, start, end, detected_at,
          (toUnixTimestamp(end) - toUnixTimestamp(start)) / 3600 AS hours, litres_per_hour, litres,
          least(litres_per_hour * hours, litres) AS litres_lost, evidence
FROM curbstop.anomalies_current
WHERE rule NOT IN ('spike', 'day-2x', 'day-3x-5d', 'day-150-week')
COMMENT 'Leaks and bursts as they stand';

CREATE VIEW IF NOT EXISTS curbstop.silent_meters
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    last_read DateTime('UTC') COMMENT 'End of its last interval, UTC',
    hours_behind Float64 COMMENT 'Hours from there to the newest interval of the utility'
)
AS SELECT utility, meter, last_read, (toUnixTimestamp(newest) - toUnixTimestamp(last_read)) / 3600 AS hours_behind
FROM
(
    SELECT utility, meter, max(start + length) AS last_read, max(last_read) OVER (PARTITION BY utility) AS newest
    FROM curbstop.intervals
    WHERE gone = 0
    GROUP BY utility, meter
)
WHERE hours_behind >= 48
COMMENT 'Meters that are two days or more behind the others of their utility'
