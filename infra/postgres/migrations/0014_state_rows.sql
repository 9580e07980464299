-- Meter states as a log: a checkpoint adds rows behind those of before, and of a meter the last row counts. In buckets, each
-- state that changed wrote all states of its bucket, so a file in no order of its meters wrote most of a partition again
-- with every batch. A row holds a few states, with a checksum, and stays within a page.
CREATE TABLE detector_rows (
  partition integer NOT NULL,
  row       bigint NOT NULL,
  format    integer NOT NULL,
  crc32     bigint NOT NULL,
  payload   bytea NOT NULL,
  PRIMARY KEY (partition, row)
) WITH (toast_tuple_target = 8160);
ALTER TABLE detector_rows ALTER COLUMN payload SET STORAGE EXTERNAL;

-- The rows that count: from `first_row`, before `next_row`; one of them that is missing makes all of the partition's states
-- count as lost. `lost`: that happened once, so a meter without a state may still be one that had one.
ALTER TABLE detector_partitions
  ADD COLUMN first_row bigint NOT NULL DEFAULT 0,
  ADD COLUMN next_row  bigint NOT NULL DEFAULT 0,
  ADD COLUMN lost      boolean NOT NULL DEFAULT false;

-- A bucket's bytes are those of a row.
INSERT INTO detector_rows (partition, row, format, crc32, payload)
SELECT partition, row_number() OVER (PARTITION BY partition ORDER BY bucket) - 1, format, crc32, payload FROM detector_state;
UPDATE detector_partitions p SET
  next_row = (SELECT count(*) FROM detector_state s WHERE s.partition = p.partition),
  lost = EXISTS (
    SELECT unnest(p.buckets) EXCEPT SELECT bucket FROM detector_state s WHERE s.partition = p.partition AND s.whole);

ALTER TABLE detector_partitions DROP COLUMN buckets;
DROP TABLE detector_state;
