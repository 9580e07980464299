CREATE TABLE IF NOT EXISTS curbstop.check_findings
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    code LowCardinality(String) COMMENT 'Check, see docs/checks.md',
    start DateTime('UTC') COMMENT 'Beginning of the first interval that fails the check, UTC',
    end DateTime('UTC') COMMENT 'End of the last so far, UTC',
    open UInt8 COMMENT '1: it goes on as far as reads tell',
    value Float64 COMMENT 'What was seen, in the unit of the limit; hours for a check without one',
    limit Float64 COMMENT 'What the check allows; 0 for a check without a limit',
    version UInt64 COMMENT 'Order of decisions: generation of the log, then offset of the message that led to the row',
    gone UInt8 DEFAULT 0 COMMENT '1: later reads showed that it never was'
)
ENGINE = ReplacingMergeTree(version, gone)
-- utility: one utility at a time; meter: its findings lie together; code, start: identity.
ORDER BY (utility, meter, code, start)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What checks of data found, with all its changes. Query checks_current';

CREATE VIEW IF NOT EXISTS curbstop.checks_current
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    meter UInt64 COMMENT 'Meter key',
    code LowCardinality(String) COMMENT 'Check, see docs/checks.md',
    start DateTime('UTC') COMMENT 'Beginning, UTC',
    end DateTime('UTC') COMMENT 'End so far, UTC',
    open Bool COMMENT 'It goes on as far as reads tell',
    value Float64 COMMENT 'What was seen, in the unit of the limit; hours for a check without one',
    limit Float64 COMMENT 'What the check allows; 0 for a check without a limit'
)
AS SELECT utility, meter, code, start, end, toBool(f.open) AS open, value, limit
FROM curbstop.check_findings AS f FINAL
COMMENT 'What checks of data find after all corrections';
