-- What was published: months by class of customer, as they went out. A month is published once.
CREATE TABLE publications (
  utility      text NOT NULL,
  month        text NOT NULL,                -- YYYY-MM, local
  rows         jsonb NOT NULL,
  policy       jsonb NOT NULL,               -- from when on a group was large enough
  clause       text NOT NULL,                -- of the contract
  published_by text NOT NULL,
  published_at timestamptz NOT NULL,
  PRIMARY KEY (utility, month)
);
ALTER TABLE publications ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON publications TO curbstop_tenant USING (utility = current_setting('curbstop.utility'));
-- Added, never changed.
GRANT SELECT, INSERT ON publications TO curbstop_tenant;
