CREATE VIEW IF NOT EXISTS curbstop.sum_check
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    since DateTime('UTC') COMMENT 'A register read, UTC',
    until DateTime('UTC') COMMENT 'The next one of the same register, UTC',
    register_litres Float64 COMMENT 'Difference of the two',
    usage_litres Float64 COMMENT 'Sum of the delivered intervals that lie between them without a hole',
    difference_litres Float64 COMMENT 'Usage less difference of the registers'
)
AS SELECT utility, meter, channel, toDateTime(since, 'UTC') AS since, toDateTime(until, 'UTC') AS until,
          (until_ml - since_ml) / 1000 AS register_litres, usage_ml / 1000 AS usage_litres,
          usage_litres - register_litres AS difference_litres
FROM
(
    SELECT p.utility AS utility, p.meter AS meter, p.channel AS channel, toUnixTimestamp(p.since) AS since,
           toUnixTimestamp(p.until) AS until, any(p.since_ml) AS since_ml, any(p.until_ml) AS until_ml,
           sum(i.ml) AS usage_ml, sum(i.length) AS seconds, max(i.start + i.length) AS last_end
    FROM curbstop.intervals AS i FINAL
    ASOF INNER JOIN
    (
        SELECT utility, meter, channel, at AS since, leadInFrame(at) OVER w AS until, ml AS since_ml,
               leadInFrame(ml) OVER w AS until_ml, register, leadInFrame(register) OVER w AS next_register
        FROM curbstop.register_reads FINAL
        WINDOW w AS (PARTITION BY utility, meter, channel ORDER BY at ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)
    ) AS p ON p.utility = i.utility AND p.meter = i.meter AND p.channel = i.channel AND i.start >= p.since
    WHERE i.origin = 'delivered' AND i.counts = 1 AND p.register = p.next_register AND p.until > p.since
        AND i.start < p.until
    GROUP BY utility, meter, channel, since, until
)
WHERE seconds = until - since AND last_end <= until AND until_ml >= since_ml
COMMENT 'Meters that deliver registers and intervals: the sum of the intervals between two register reads against their difference';
