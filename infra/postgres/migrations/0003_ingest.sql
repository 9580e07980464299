-- The ledger of files: one row for each delivery that was claimed.
CREATE TABLE files (
  file         bigint PRIMARY KEY,          -- sequence number: of two reads of equal standing, the higher file wins
  utility      text NOT NULL,
  source       text NOT NULL,
  name         text NOT NULL,
  sha256       char(64) NOT NULL,
  bytes        bigint NOT NULL,
  state        text NOT NULL CHECK (state IN ('claimed', 'publishing', 'published', 'archived', 'rejected', 'duplicate')),
  duplicate_of bigint REFERENCES files,
  correction   boolean NOT NULL DEFAULT false,
  again_of     bigint REFERENCES files,     -- processed again on request
  work_path    text,                        -- where the claimed bytes lie until they are archived
  archive_path text,
  archive_key  bytea,                       -- the file's key, wrapped by the utility's
  reason       text,                        -- why the whole file was rejected
  rows         bigint NOT NULL DEFAULT 0,   -- taken whole
  rejected     bigint NOT NULL DEFAULT 0,   -- rows with something that was not: rows + rejected are all rows of reads
  reads        bigint NOT NULL DEFAULT 0,
  no_reads     bigint NOT NULL DEFAULT 0,
  values_rejected bigint NOT NULL DEFAULT 0, -- reads + no_reads + values_rejected are all values of these rows
  meters       integer NOT NULL DEFAULT 0,
  first_read   timestamptz,
  last_read    timestamptz,
  claimed_at   timestamptz NOT NULL,
  published_at timestamptz,
  announced    boolean NOT NULL DEFAULT false  -- its message is in topic files
);
CREATE SEQUENCE files_sequence;
-- The same bytes count once for a source, save where processing again was asked for.
CREATE UNIQUE INDEX files_once ON files (utility, source, sha256) WHERE state <> 'duplicate' AND again_of IS NULL;
CREATE UNIQUE INDEX files_by_work_path ON files (work_path);
CREATE INDEX files_unfinished ON files (state) WHERE state IN ('claimed', 'publishing', 'published') OR NOT announced;

-- Rows that were not taken. The bytes stay in the archive alone.
CREATE TABLE rejects (
  file     bigint NOT NULL REFERENCES files ON DELETE CASCADE,
  line     bigint NOT NULL,
  place    integer NOT NULL,                -- order within the line: a row may hold several values
  at_byte  bigint NOT NULL,                 -- in the decoded file
  length   integer NOT NULL,
  code     text NOT NULL,
  field    text NOT NULL,
  value    text,                            -- NULL for fields that are personal
  PRIMARY KEY (file, line, place)
);
