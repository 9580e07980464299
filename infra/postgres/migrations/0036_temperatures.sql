-- Temperatures of the air where a utility's meters are, as its sources bring them, and what the detector was told of them.
CREATE TABLE temperatures (
  utility    text NOT NULL,
  time       timestamptz NOT NULL,
  hundredths integer NOT NULL,               -- of a degree Celsius
  timely     boolean NOT NULL,               -- it came soon enough to be judged by
  file       bigint NOT NULL,                -- the file that said it last, by its number in the ledger
  PRIMARY KEY (utility, time)
);
ALTER TABLE temperatures ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON temperatures TO curbstop_tenant USING (utility = current_setting('curbstop.utility'));
GRANT SELECT, INSERT, UPDATE, DELETE ON temperatures TO curbstop_tenant;

CREATE TABLE cold_told (
  utility text PRIMARY KEY,
  cold    jsonb NOT NULL                     -- spells as the newest message of topic temperatures has them
);
ALTER TABLE cold_told ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON cold_told TO curbstop_tenant USING (utility = current_setting('curbstop.utility'));
GRANT SELECT, INSERT, UPDATE, DELETE ON cold_told TO curbstop_tenant;

-- Whoever wants to hear of pipes that may freeze says so by itself.
ALTER TABLE consents DROP CONSTRAINT consents_kind_check;
ALTER TABLE consents ADD CONSTRAINT consents_kind_check
  CHECK (kind IN ('leak', 'burst', 'high-usage', 'freeze', 'tips', 'newsletter', 'survey'));
