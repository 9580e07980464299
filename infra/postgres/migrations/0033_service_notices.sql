-- Notices that are due by law or contract (terms, privacy, account), in the words of the utility: a mail to whoever signed up
-- and still lives there, whatever they want to hear of. They wait behind every alert.
CREATE TABLE service_notices (
  notice_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility    text NOT NULL,
  name       text NOT NULL,                 -- the utility's: sent again, it reaches only whom it had not reached
  about      text NOT NULL CHECK (about IN ('terms', 'privacy', 'account')),
  words      jsonb NOT NULL,                -- by language: subject, text, link
  written_by text NOT NULL,
  written_at timestamptz NOT NULL,
  UNIQUE (utility, name)
);
ALTER TABLE service_notices ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON service_notices TO curbstop_tenant USING (utility = current_setting('curbstop.utility'));
GRANT SELECT, INSERT, UPDATE, DELETE ON service_notices TO curbstop_tenant;

ALTER TABLE outbox ADD COLUMN notice_id bigint REFERENCES service_notices;
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check, DROP CONSTRAINT outbox_check1;
ALTER TABLE outbox
  ADD CONSTRAINT outbox_kind_check
    CHECK (kind IN ('confirmation', 'alert', 'stopped', 'correction', 'reminder', 'last-reminder', 'reply', 'notice', 'service')),
  ADD CONSTRAINT outbox_check1 CHECK ((kind IN ('confirmation', 'reply', 'notice', 'service')) = (anomaly IS NULL)),
  ADD CONSTRAINT outbox_service CHECK ((kind = 'service') = (notice_id IS NOT NULL));
CREATE UNIQUE INDEX outbox_by_notice ON outbox (notice_id, contact_id) WHERE notice_id IS NOT NULL;

DROP INDEX outbox_due;
ALTER TABLE outbox DROP COLUMN priority;
ALTER TABLE outbox ADD COLUMN priority smallint NOT NULL GENERATED ALWAYS AS (
  CASE WHEN urgent OR kind IN ('confirmation', 'reply') THEN 0 WHEN kind = 'service' THEN 3 WHEN consent_kind = 'high-usage' THEN 2
    ELSE 1 END) STORED;
CREATE INDEX outbox_due ON outbox (priority, not_before) WHERE state IN ('queued', 'held', 'sending', 'unknown');
