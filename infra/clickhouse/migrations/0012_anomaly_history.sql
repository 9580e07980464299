CREATE TABLE IF NOT EXISTS curbstop.anomaly_history
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    id FixedString(32) COMMENT 'Id of the anomaly, given when it opened and kept through corrections',
    version UInt32 COMMENT '1 when it opened, one more with each change',
    rule LowCardinality(String) COMMENT 'Rule that found it (docs/rules.md)',
    rule_version UInt16 COMMENT 'Version of the rule',
    state Enum8('opened' = 1, 'updated' = 2, 'closed' = 3, 'withdrawn' = 4) COMMENT 'What it became with this version',
    reason LowCardinality(String) COMMENT 'Why it closed or was withdrawn; empty while it is open',
    start DateTime('UTC') COMMENT 'Beginning of the first interval that belonged to it then',
    end DateTime('UTC') COMMENT 'End of the last interval that belonged to it then',
    detected_at DateTime('UTC') COMMENT 'Event time at which the evidence first sufficed',
    rate Int64 COMMENT 'Millilitres an hour, as it was known then',
    volume Int64 COMMENT 'Millilitres in the intervals that belonged to it then',
    evidence String COMMENT 'JSON: parameters of the rule and the figures it saw',
    backfill UInt8 COMMENT '1: found in old reads delivered on purpose, so nobody was told',
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When this version was stored here; of versions from before 2026-11-29 when the table was made'
)
ENGINE = ReplacingMergeTree
-- utility: one utility at a time; meter, id: the life of an anomaly lies together; version: identity of a row.
ORDER BY (utility, meter, id, version)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every version of every anomaly: how it came to stand as it does. Ask with FINAL';

INSERT INTO curbstop.anomaly_history (utility, meter, id, version, rule, rule_version, state, reason, start, end, detected_at, rate, volume, evidence, backfill)
SELECT utility, meter, id, version, rule, rule_version, state, reason, start, end, detected_at, rate, volume, evidence, backfill FROM curbstop.anomalies
WHERE (SELECT count() FROM curbstop.anomaly_history) = 0;
