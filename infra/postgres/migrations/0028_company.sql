-- What is due by mail about one home goes as one: whether more waits is asked of each message.
DROP INDEX outbox_digests;
CREATE INDEX outbox_waiting ON outbox (contact_id, occupancy_id) WHERE state IN ('queued', 'held', 'sending', 'unknown');
