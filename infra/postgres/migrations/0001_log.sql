-- The embedded log: record batches in order, like the segments of a Kafka partition.

-- Made once with the tables: offsets saved beside another identity mean nothing here.
CREATE TABLE log_identity (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  identity text NOT NULL DEFAULT ('embedded-' || gen_random_uuid())
);
INSERT INTO log_identity DEFAULT VALUES;

CREATE TABLE log_topics (
  topic           text PRIMARY KEY,
  partitions      integer NOT NULL,
  cleanup         text NOT NULL,
  retention_hours integer NOT NULL
);

-- The counter row of a partition is locked until the batch commits: no reader can pass an offset that is still to come.
CREATE TABLE log_partitions (
  topic       text NOT NULL REFERENCES log_topics,
  partition   integer NOT NULL,
  next_offset bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE log_batches (
  topic       text NOT NULL,
  partition   integer NOT NULL,
  base_offset bigint NOT NULL,
  next_offset bigint NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  bytes       integer NOT NULL,
  payload     bytea NOT NULL,
  PRIMARY KEY (topic, partition, base_offset)
);
ALTER TABLE log_batches ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE TABLE log_groups (
  group_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_name text NOT NULL UNIQUE
);

-- A member lives while it holds the advisory lock of its id.
CREATE TABLE log_members (
  member_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_id  integer NOT NULL REFERENCES log_groups,
  member    text NOT NULL,
  UNIQUE (group_id, member)
);

-- Where groups go on: for lag displays and to know what all have passed.
CREATE TABLE log_offsets (
  group_id    integer NOT NULL REFERENCES log_groups,
  topic       text NOT NULL,
  partition   integer NOT NULL,
  next_offset bigint NOT NULL,
  PRIMARY KEY (group_id, topic, partition)
);

-- Offsets at which stages go on, saved in the transaction of their effects; `identity` is that of the log they belong to.
CREATE TABLE consumer_offsets (
  group_name  text NOT NULL,
  topic       text NOT NULL,
  partition   integer NOT NULL,
  identity    text NOT NULL,
  next_offset bigint NOT NULL,
  PRIMARY KEY (group_name, topic, partition)
);
