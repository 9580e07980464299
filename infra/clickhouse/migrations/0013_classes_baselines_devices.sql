ALTER TABLE curbstop.anomalies
    ADD COLUMN IF NOT EXISTS class LowCardinality(String) DEFAULT '' COMMENT 'Class of the meter as it was known then (docs/reference/topics.md); empty where nobody said it' AFTER meter;

ALTER TABLE curbstop.anomaly_history
    ADD COLUMN IF NOT EXISTS class LowCardinality(String) DEFAULT '' COMMENT 'Class of the meter as it was known then; empty where nobody said it' AFTER meter;

DROP VIEW IF EXISTS curbstop.leaks;

DROP VIEW IF EXISTS curbstop.anomalies_current;

CREATE VIEW IF NOT EXISTS curbstop.anomalies_current
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    class LowCardinality(String) COMMENT 'Class of the meter: single-family, multi-family, commercial, irrigation, always-on; empty: nobody said it',
    id FixedString(32) COMMENT 'Id of the anomaly',
    version UInt32 COMMENT 'Number of its changes',
    rule LowCardinality(String) COMMENT 'Rule that found it, see docs/rules.md',
    state Enum8('opened' = 1, 'updated' = 2, 'closed' = 3, 'withdrawn' = 4) COMMENT 'opened and updated: it goes on',
    reason LowCardinality(String) COMMENT 'Why it closed',
    start DateTime('UTC') COMMENT 'Beginning, UTC',
    end DateTime('UTC') COMMENT 'End so far, UTC',
    detected_at DateTime('UTC') COMMENT 'When the evidence first sufficed, UTC',
    litres_per_hour Float64 COMMENT 'Rate of the leak; of a burst or high use the highest',
    litres Float64 COMMENT 'Volume so far',
    evidence String COMMENT 'JSON: parameters and figures seen'
)
AS SELECT utility, meter, class, id, version, rule, state, reason, start, end, detected_at,
          rate / 1000 AS litres_per_hour, volume / 1000 AS litres, evidence
FROM curbstop.anomalies FINAL
WHERE state != 'withdrawn'
COMMENT 'Anomalies as they stand, without the withdrawn';

CREATE VIEW IF NOT EXISTS curbstop.leaks
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
WHERE rule NOT IN ('spike', 'high-day', 'budget', 'day-2x', 'day-3x-5d', 'day-150-week')
COMMENT 'Leaks and bursts as they stand';

CREATE VIEW IF NOT EXISTS curbstop.baselines
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    days UInt64 COMMENT 'Whole days looked at: those with 20 hours of reads or more, of the last 28',
    litres_a_day Float64 COMMENT 'Median of a day',
    highest_day Float64 COMMENT 'Litres of the highest day',
    highest_hour Float64 COMMENT 'Litres of the highest hour',
    floor Float64 COMMENT 'Litres an hour under which 60 % of the daily lowest hours lie: 0 for a home that sleeps',
    dry Array(Float64) COMMENT 'Share of dry hours by hour of the UTC day, 0 to 23; NaN where none was read'
)
AS SELECT utility, meter, count() AS days, quantileExact(0.5)(day_litres) AS litres_a_day, max(day_litres) AS highest_day,
          max(highest) AS highest_hour, quantileExactLow(0.6)(lowest) AS floor,
          arrayMap((dry, seen) -> dry / seen, sumForEach(dry_hours), sumForEach(hours_seen)) AS dry
FROM
(
    SELECT utility, meter, toDate(hour) AS day, sum(litres) AS day_litres, max(litres) AS highest, min(litres) AS lowest,
           sumForEach(arrayMap(h -> toUInt64(toHour(hour) = h AND litres = 0), range(24))) AS dry_hours,
           sumForEach(arrayMap(h -> toUInt64(toHour(hour) = h), range(24))) AS hours_seen,
           max(day) OVER (PARTITION BY utility, meter) AS newest
    FROM
    (
        SELECT utility, meter, toStartOfHour(start) AS hour, sum(ml) / 1000 AS litres
        FROM curbstop.usage
        WHERE length <= 3600 AND NOT estimated
        GROUP BY utility, meter, hour
        HAVING sum(length) >= 3600
    )
    GROUP BY utility, meter, day
    HAVING count() >= 20
)
WHERE day > newest - 28
GROUP BY utility, meter
COMMENT 'What is usual for each meter, from its good hours of the last 28 days; leaks are among them';

CREATE VIEW IF NOT EXISTS curbstop.device_agreement
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    code LowCardinality(String) COMMENT 'What the device reported: device-leak, device-burst',
    start DateTime('UTC') COMMENT 'Beginning of the report, UTC',
    end DateTime('UTC') COMMENT 'Its end so far, UTC',
    agrees Bool COMMENT 'A leak was open here within a day of it',
    rules Array(String) COMMENT 'Rules that found it'
)
AS SELECT d.utility AS utility, d.meter AS meter, d.code AS code, d.start AS start, d.end AS end,
          toBool(notEmpty(rules)) AS agrees,
          arraySort(groupUniqArrayIf(l.rule, l.start <= d.end + 86400 AND l.end >= d.start - 86400 AND l.rule != '')) AS rules
FROM curbstop.checks_current AS d
LEFT JOIN curbstop.leaks AS l ON l.utility = d.utility AND l.meter = d.meter
WHERE d.code IN ('device-leak', 'device-burst')
GROUP BY utility, meter, code, start, end
COMMENT 'Leaks and bursts that devices reported, and whether the detector found them too'
