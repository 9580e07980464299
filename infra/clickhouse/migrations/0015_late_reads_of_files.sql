ALTER TABLE curbstop.files ADD COLUMN IF NOT EXISTS late_reads UInt64 DEFAULT 0 COMMENT 'Of its reads those that came as late as check late says' AFTER reads;

CREATE OR REPLACE VIEW curbstop.files_current
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    source LowCardinality(String) COMMENT 'Source (feed)',
    file UInt32 COMMENT 'Sequence number of the file',
    state LowCardinality(String) COMMENT 'published, rejected or duplicate',
    correction UInt8 COMMENT '1: the same name came before with other bytes',
    rows UInt64 COMMENT 'Rows with reads',
    rejected UInt64 COMMENT 'Rows rejected',
    reads UInt64 COMMENT 'Reads published',
    late_reads UInt64 COMMENT 'Of its reads those that came as late as check late says',
    meters UInt32 COMMENT 'Distinct meters',
    first_read Nullable(DateTime('UTC')) COMMENT 'First read, UTC',
    last_read Nullable(DateTime('UTC')) COMMENT 'Last read, UTC',
    published_at DateTime64(3, 'UTC') COMMENT 'When its last read was durable in the log'
)
AS SELECT utility, source, file, state, correction, rows, rejected, reads, late_reads, meters, first_read, last_read, published_at
FROM curbstop.files FINAL
COMMENT 'What became of each file';

CREATE OR REPLACE VIEW curbstop.freshness
(
    utility LowCardinality(String) COMMENT 'Utility (tenant)',
    source LowCardinality(String) COMMENT 'Source (feed)',
    files UInt64 COMMENT 'Files published',
    last_file DateTime64(3, 'UTC') COMMENT 'When the newest file was published',
    last_read Nullable(DateTime('UTC')) COMMENT 'Newest read of any file',
    reads UInt64 COMMENT 'Reads published',
    late_reads UInt64 COMMENT 'Of them those that came as late as check late says',
    rejected UInt64 COMMENT 'Rows rejected'
)
AS SELECT utility, source, countIf(f.state = 'published') AS files, max(f.published_at) AS last_file,
          max(f.last_read) AS last_read, sum(f.reads) AS reads, sum(f.late_reads) AS late_reads, sum(f.rejected) AS rejected
FROM curbstop.files_current AS f
GROUP BY utility, source
COMMENT 'How fresh and complete each feed is';
