-- An address with alerts for many homes gets one mail a day: its messages wait together (`digest`), and go out as one, under
-- the id of the first of them (`digest_of`, its own there).
ALTER TABLE outbox ADD COLUMN digest boolean NOT NULL DEFAULT false, ADD COLUMN digest_of uuid REFERENCES outbox ON DELETE SET NULL;
CREATE INDEX outbox_digests ON outbox (contact_id, not_before) WHERE digest AND state IN ('queued', 'held', 'sending', 'unknown');
CREATE INDEX outbox_by_digest ON outbox (digest_of) WHERE digest_of IS NOT NULL;
