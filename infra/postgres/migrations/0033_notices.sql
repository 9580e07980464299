-- What a utility writes in its own words, by mail, behind every alert: notices that are due by law or contract (terms, privacy,
-- account), to whoever signed up and still lives there, whatever they want to hear of; and to who asked for that by itself, tips,
-- newsletters and surveys.
CREATE TABLE notices (
  notice_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility    text NOT NULL,
  name       text NOT NULL,                 -- the utility's: sent again, it reaches only whom it had not reached
  about      text NOT NULL CHECK (about IN ('terms', 'privacy', 'account', 'tips', 'newsletter', 'survey')),
  words      jsonb NOT NULL,                -- by language: subject, text, link
  written_by text NOT NULL,
  written_at timestamptz NOT NULL,
  UNIQUE (utility, name)
);
ALTER TABLE notices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notices TO curbstop_tenant USING (utility = current_setting('curbstop.utility'));
GRANT SELECT, INSERT, UPDATE, DELETE ON notices TO curbstop_tenant;

ALTER TABLE outbox ADD COLUMN notice_id bigint REFERENCES notices;
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check, DROP CONSTRAINT outbox_check1;
ALTER TABLE outbox
  ADD CONSTRAINT outbox_kind_check
    CHECK (kind IN ('confirmation', 'alert', 'stopped', 'correction', 'reminder', 'last-reminder', 'reply', 'notice', 'service', 'mailing')),
  ADD CONSTRAINT outbox_check1 CHECK ((kind IN ('confirmation', 'reply', 'notice', 'service', 'mailing')) = (anomaly IS NULL)),
  ADD CONSTRAINT outbox_service CHECK ((kind IN ('service', 'mailing')) = (notice_id IS NOT NULL));
CREATE UNIQUE INDEX outbox_by_notice ON outbox (notice_id, contact_id) WHERE notice_id IS NOT NULL;

DROP INDEX outbox_due;
ALTER TABLE outbox DROP COLUMN priority;
ALTER TABLE outbox ADD COLUMN priority smallint NOT NULL GENERATED ALWAYS AS (
  CASE WHEN urgent OR kind IN ('confirmation', 'reply') THEN 0 WHEN kind IN ('service', 'mailing') THEN 3 WHEN consent_kind = 'high-usage' THEN 2
    ELSE 1 END) STORED;
CREATE INDEX outbox_due ON outbox (priority, not_before) WHERE state IN ('queued', 'held', 'sending', 'unknown');

ALTER TABLE consents DROP CONSTRAINT consents_kind_check;
ALTER TABLE consents ADD CONSTRAINT consents_kind_check
  CHECK (kind IN ('leak', 'burst', 'high-usage', 'tips', 'newsletter', 'survey'));
