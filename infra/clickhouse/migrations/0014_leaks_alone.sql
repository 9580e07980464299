CREATE OR REPLACE VIEW curbstop.leaks
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    class LowCardinality(String) COMMENT 'Class of the meter; empty: nobody said it',
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
AS SELECT utility, meter, class, rule, toBool(state IN ('opened', 'updated')) AS open, start, end, detected_at,
          (toUnixTimestamp(end) - toUnixTimestamp(start)) / 3600 AS hours, litres_per_hour, litres,
          least(litres_per_hour * hours, litres) AS litres_lost, evidence
FROM curbstop.anomalies_current
WHERE rule NOT IN ('spike', 'high-day', 'budget', 'bill-ahead', 'freeze-risk', 'day-2x', 'day-3x-5d', 'day-150-week')
COMMENT 'Leaks and bursts as they stand';
