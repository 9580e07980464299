-- Files fetched from servers of utilities, and alarms for the operator. Names are kept as in the ledger (0003_ingest.sql).

-- What was last fetched under a name: the same size and time of change are not fetched again.
CREATE TABLE pulled_files (
  utility     text NOT NULL,
  source      text NOT NULL,
  name        text NOT NULL,
  bytes       bigint NOT NULL,
  modified_at timestamptz NOT NULL,         -- by the server's clock, whole seconds
  pulled_at   timestamptz NOT NULL,
  PRIMARY KEY (utility, source, name)
);

-- Since when nothing is owed: the beginning of the last pull of a source that brought everything.
CREATE TABLE pull_marks (
  utility text NOT NULL,
  source  text NOT NULL,
  done_at timestamptz NOT NULL,
  PRIMARY KEY (utility, source)
);

-- Since when a feed is watched: before its first file, lateness counts from here.
CREATE TABLE feed_watches (
  utility text NOT NULL,
  source  text NOT NULL,
  since   timestamptz NOT NULL,
  PRIMARY KEY (utility, source)
);

CREATE TABLE feed_alarms (
  feed_alarm     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility        text NOT NULL,
  source         text NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('late', 'thin')),
  opened_at      timestamptz NOT NULL,
  closed_at      timestamptz,
  last_file_at   timestamptz,               -- of the last published file, as it opened
  reads          bigint,                    -- thin: what the last file brought
  usual_reads    bigint,                    -- thin: the median of those before it
  opened_told_at timestamptz,               -- by mail to operator.mail
  closed_told_at timestamptz
);
CREATE UNIQUE INDEX feed_alarms_open ON feed_alarms (utility, source, kind) WHERE closed_at IS NULL;
CREATE INDEX feed_alarms_untold ON feed_alarms (feed_alarm)
  WHERE opened_told_at IS NULL OR (closed_at IS NOT NULL AND closed_told_at IS NULL);
