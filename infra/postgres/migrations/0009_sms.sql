-- Text messages: contacts of channel `sms` (the address is a number as E.164), what they write back, and numbers that get nothing.

-- A text that answers a resident (`reply`), and what carriers say afterwards (`delivered`).
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check, DROP CONSTRAINT outbox_state_check, DROP CONSTRAINT outbox_check1;
ALTER TABLE outbox
  ADD CHECK (kind IN ('confirmation', 'alert', 'stopped', 'correction', 'reminder', 'reply')),
  ADD CHECK (state IN ('queued', 'held', 'sending', 'accepted', 'delivered', 'failed', 'suppressed', 'expired', 'unknown')),
  ADD CHECK ((kind IN ('confirmation', 'reply')) = (anomaly IS NULL)),
  ADD COLUMN reply text,                    -- which text, of kind `reply`
  ADD CHECK ((kind = 'reply') = (reply IS NOT NULL)),
  ADD COLUMN provider_id text,              -- the provider's id of the message that it took
  ADD COLUMN handed_at timestamptz,         -- first time that an attempt may have reached the provider
  ADD COLUMN resent boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX outbox_by_provider_id ON outbox (channel, provider_id) WHERE provider_id IS NOT NULL;
-- How often a home was written to lately.
CREATE INDEX outbox_by_occupancy ON outbox (occupancy_id, channel, accepted_at) WHERE accepted_at IS NOT NULL;

-- Numbers that get nothing but the answer to what they write: the word of the resident or of the carrier. The master list;
-- a provider's own is a copy.
CREATE TABLE suppressions (
  suppression_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility      text NOT NULL,
  channel      text NOT NULL,
  address_hash bytea NOT NULL,
  reason       text NOT NULL CHECK (reason IN ('stop', 'provider-stop', 'unreachable')),
  at           timestamptz NOT NULL,
  ended_at     timestamptz
);
CREATE UNIQUE INDEX suppressions_active ON suppressions (utility, channel, address_hash) WHERE ended_at IS NULL;

-- What residents wrote, once by the provider's id. The words are sealed: they may hold anything.
CREATE TABLE texts_received (
  utility     text NOT NULL,
  provider_id text NOT NULL,
  contact_id  uuid NOT NULL REFERENCES contacts,
  body_sealed bytea NOT NULL,
  asks        text NOT NULL,
  -- Not understood, or understood by a guess: somebody should look.
  for_people  boolean NOT NULL,
  received_at timestamptz NOT NULL,
  handled_at  timestamptz,
  PRIMARY KEY (utility, provider_id)
);
CREATE INDEX texts_for_people ON texts_received (received_at) WHERE for_people AND handled_at IS NULL;

-- What residents said of an alert, newest last: 1 runs on purpose, 2 somebody looks into it, 3 remind me.
CREATE TABLE answers (
  answer_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility    text NOT NULL,
  anomaly    char(32) NOT NULL REFERENCES anomalies_seen,
  contact_id uuid NOT NULL REFERENCES contacts,
  answer     smallint NOT NULL CHECK (answer BETWEEN 1 AND 3),
  rate       bigint NOT NULL,               -- of the anomaly when it was answered, mL/h: at twice that it is news again
  at         timestamptz NOT NULL,
  mute_until timestamptz NOT NULL
);
CREATE INDEX answers_by_anomaly ON answers (anomaly, contact_id, answer_id);

-- Channels of a utility that carriers filter: nothing more goes out until somebody has looked.
CREATE TABLE channel_pauses (
  pause_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility  text NOT NULL,
  channel  text NOT NULL,
  reason   text NOT NULL,                   -- the provider's code
  at       timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE UNIQUE INDEX channel_pauses_active ON channel_pauses (utility, channel) WHERE ended_at IS NULL;
