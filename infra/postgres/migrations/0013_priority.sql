-- What goes out first: answers and requests to confirm, and water as never before; then leaks; then high use.
ALTER TABLE outbox ADD COLUMN urgent boolean NOT NULL DEFAULT false;
ALTER TABLE outbox ADD COLUMN priority smallint NOT NULL GENERATED ALWAYS AS (
  CASE WHEN urgent OR kind IN ('confirmation', 'reply') THEN 0 WHEN consent_kind = 'high-usage' THEN 2 ELSE 1 END) STORED;
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (priority, not_before) WHERE state IN ('queued', 'held', 'sending', 'unknown');

-- Alerts of the last hour are counted for each utility.
CREATE INDEX outbox_alerts ON outbox (utility, created_at) WHERE kind = 'alert';
