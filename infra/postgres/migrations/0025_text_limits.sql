-- How many texts a utility may hand over still, by limit: a bucket that fills by time.
CREATE TABLE text_buckets (
  utility text NOT NULL,
  name    text NOT NULL,
  tokens  double precision NOT NULL,
  at      timestamptz NOT NULL,             -- when that many were in it
  PRIMARY KEY (utility, name)
);
ALTER TABLE text_buckets ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON text_buckets TO curbstop_tenant USING (utility = current_setting('curbstop.utility'));
GRANT SELECT ON text_buckets TO curbstop_tenant;
