-- Codes that a utility sends to a home by letter: they prove the address in the place of its ZIP code, once.
CREATE TABLE mailed_codes (
  code_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility      text NOT NULL,
  occupancy_id bigint NOT NULL REFERENCES occupancies,
  code_hash    bytea NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  used_at      timestamptz
);
CREATE INDEX mailed_codes_by_occupancy ON mailed_codes (occupancy_id, code_hash) WHERE used_at IS NULL;
ALTER TABLE mailed_codes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON mailed_codes TO curbstop_tenant USING (utility = current_setting('curbstop.utility'));
GRANT SELECT, INSERT, UPDATE, DELETE ON mailed_codes TO curbstop_tenant;
