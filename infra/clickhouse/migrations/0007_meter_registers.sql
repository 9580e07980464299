CREATE TABLE IF NOT EXISTS curbstop.meter_registers
(
    utility LowCardinality(String) COMMENT 'Utility (tenant) that owns the meter',
    meter UInt64 COMMENT 'Meter key',
    channel LowCardinality(String) COMMENT 'Register of the meter; empty for a meter with one',
    resolution UInt64 COMMENT 'Smallest step that any file told, millilitres; 0: unknown',
    modulus UInt64 COMMENT 'Millilitres at which the register begins again at zero, by the newest file with reads of it; 0: unknown',
    modulus_file UInt32 COMMENT 'Sequence number of that file; 0: none',
    version UInt64 COMMENT 'Order of decisions: generation of the log, then offset of the message that told it'
)
ENGINE = ReplacingMergeTree(version)
-- utility, meter: whose; channel: one row a register. No months: a register has no time.
ORDER BY (utility, meter, channel)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What files told of the registers of meters: the detector needs it to judge a meter anew from its stored reads. Query with FINAL'
