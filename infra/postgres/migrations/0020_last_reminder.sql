-- A leak that runs for a week is told once more, by the channel that is noticed most.
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check
  CHECK (kind IN ('confirmation', 'alert', 'stopped', 'correction', 'reminder', 'last-reminder', 'reply'));
