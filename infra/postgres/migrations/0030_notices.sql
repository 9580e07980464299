-- A mail that says that texts about a home have ended, for they do not arrive: to who gets mails about it (`notice`).
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check, DROP CONSTRAINT outbox_check1;
ALTER TABLE outbox
  ADD CONSTRAINT outbox_kind_check
    CHECK (kind IN ('confirmation', 'alert', 'stopped', 'correction', 'reminder', 'last-reminder', 'reply', 'notice')),
  ADD CONSTRAINT outbox_check1 CHECK ((kind IN ('confirmation', 'reply', 'notice')) = (anomaly IS NULL));
