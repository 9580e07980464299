-- The detector's checkpoint: what it knows and how far it read, changed together in one transaction.

-- Identity of each log ever used. `generation` leads the versions of interval rows, so rows derived from a newer log win.
CREATE TABLE log_generations (
  generation integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  identity   text NOT NULL UNIQUE
);

-- One row a partition: owner's epoch (fence), the next offset of each input topic, and the buckets that were ever saved:
-- one of them that is missing from detector_state was lost.
CREATE TABLE detector_partitions (
  partition   integer PRIMARY KEY,
  epoch       bigint NOT NULL,
  generation  integer NOT NULL REFERENCES log_generations,
  offsets     jsonb NOT NULL,
  buckets     integer[] NOT NULL,
  saved_at    timestamptz NOT NULL
);

-- Meter states in buckets: compressed, with a checksum of the stored bytes. Not `whole`: the bucket was lost once, so a
-- meter that it does not hold may still be one that had a state.
CREATE TABLE detector_state (
  partition integer NOT NULL,
  bucket    integer NOT NULL,
  format    integer NOT NULL,
  crc32     bigint NOT NULL,
  meters    integer NOT NULL,
  whole     boolean NOT NULL,
  payload   bytea NOT NULL,
  PRIMARY KEY (partition, bucket)
);
ALTER TABLE detector_state ALTER COLUMN payload SET STORAGE EXTERNAL;

-- Anomalies decided by a committed checkpoint and not yet known to be in the log and in ClickHouse.
CREATE TABLE detector_pending (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  partition integer NOT NULL,
  message   jsonb NOT NULL
);
CREATE INDEX detector_pending_by_partition ON detector_pending (partition, id);
