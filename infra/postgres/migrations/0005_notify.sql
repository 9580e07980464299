-- Alerts: whom we may write to, what they agreed to, what was decided and what was sent.
-- Addresses are keyed hashes and sealed values as in 0002_registry.sql; no other column here is personal but by reference.

CREATE TABLE contacts (
  contact_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  utility        text NOT NULL,
  channel        text NOT NULL,
  address_hash   bytea NOT NULL,
  address_sealed bytea NOT NULL,
  language       text NOT NULL,
  created_at     timestamptz NOT NULL,
  verified_at    timestamptz,               -- first confirmation; before it the address gets confirmation mails only
  UNIQUE (utility, channel, address_hash)
);

-- A request that waits for its confirmation. The token in the link is this id with a signature: it is stored nowhere.
CREATE TABLE confirmations (
  confirmation_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  utility      text NOT NULL,
  contact_id   uuid NOT NULL REFERENCES contacts,
  channel      text NOT NULL,
  occupancies  bigint[] NOT NULL,
  kinds        text[] NOT NULL,
  language     text NOT NULL,
  method       text NOT NULL,
  text_version text NOT NULL,
  text_hash    bytea NOT NULL,
  requested_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  confirmed_at timestamptz
);
CREATE INDEX confirmations_by_contact ON confirmations (contact_id, requested_at);

-- Every step of a consent, one row each: contact × occupancy × kind × channel. Rows are never changed.
CREATE TABLE consents (
  consent_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility         text NOT NULL,
  contact_id      uuid NOT NULL REFERENCES contacts,
  occupancy_id    bigint NOT NULL REFERENCES occupancies,
  kind            text NOT NULL CHECK (kind IN ('leak', 'high-usage')),
  channel         text NOT NULL,
  action          text NOT NULL CHECK (action IN ('request', 'confirm', 'revoke', 'end')),
  method          text NOT NULL,            -- web, command, link, move-out
  language        text NOT NULL,
  text_version    text NOT NULL,            -- of the wording that was shown
  text_hash       bytea NOT NULL,           -- SHA-256 of that wording
  evidence_sealed bytea,                    -- address and browser of whoever confirmed
  at              timestamptz NOT NULL
);
CREATE INDEX consents_by_contact ON consents (contact_id, occupancy_id, kind, channel, consent_id);
CREATE INDEX consents_by_occupancy ON consents (occupancy_id) WHERE action = 'confirm';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are evidence: they are added, never changed', TG_TABLE_NAME;
END $$;
CREATE TRIGGER consents_append_only BEFORE UPDATE OR DELETE ON consents
  FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What is agreed to now: a confirmation that no later step has replaced. A new request ends nothing.
CREATE VIEW active_consents AS
SELECT c.* FROM consents c
WHERE c.action = 'confirm' AND NOT EXISTS (
  SELECT 1 FROM consents later
  WHERE later.contact_id = c.contact_id AND later.occupancy_id = c.occupancy_id AND later.kind = c.kind
    AND later.channel = c.channel AND later.consent_id > c.consent_id AND later.action <> 'request');

-- Who may hear of a meter: a consent whose occupancy holds the premise that the meter measures, over the time of both.
CREATE VIEW recipients AS
SELECT c.utility, m.meter_key, c.contact_id, c.occupancy_id, c.kind, c.channel,
       greatest(o.valid_from, m.valid_from) AS valid_from,
       least(o.valid_until, m.valid_until) AS valid_until
FROM active_consents c
JOIN occupancies o ON o.occupancy_id = c.occupancy_id
JOIN premise_meters m ON m.premise_id = o.premise_id;

-- Anomalies as the notifier knows them; a version counts only upwards.
CREATE TABLE anomalies_seen (
  anomaly   char(32) PRIMARY KEY,
  utility   text NOT NULL,
  meter_key char(16) NOT NULL,
  rule      text NOT NULL,
  version   integer NOT NULL,
  state     text NOT NULL,
  starts_at bigint NOT NULL,                -- UTC seconds, as in the message
  ends_at   bigint NOT NULL,
  message   jsonb NOT NULL,
  seen_at   timestamptz NOT NULL
);
CREATE INDEX anomalies_seen_by_meter ON anomalies_seen (meter_key, ends_at);

-- Why nothing was sent, for whoever asks "why was I not told?". contact_id NULL: nobody in particular.
CREATE TABLE decisions (
  utility    text NOT NULL,
  anomaly    char(32) NOT NULL,
  contact_id uuid REFERENCES contacts,
  outcome    text NOT NULL,
  version    integer NOT NULL,              -- of the anomaly, at the last time
  first_at   timestamptz NOT NULL,
  last_at    timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (anomaly, contact_id, outcome)
);

-- Messages to residents. Written in the transaction of the decision; `sending` is committed before the mail server is spoken to.
CREATE TABLE outbox (
  outbox_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  utility      text NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('confirmation', 'alert', 'stopped', 'correction')),
  anomaly      char(32) REFERENCES anomalies_seen,
  stage        integer NOT NULL DEFAULT 0,  -- 0 at detection; one more each time it begins again after an end was told
  confirmation_id uuid UNIQUE REFERENCES confirmations,
  contact_id   uuid NOT NULL REFERENCES contacts,
  occupancy_id bigint REFERENCES occupancies,
  consent_kind text,
  channel      text NOT NULL,
  state        text NOT NULL CHECK (state IN
    ('queued', 'held', 'sending', 'accepted', 'failed', 'suppressed', 'expired', 'unknown')),
  reason       text,
  -- What the message says of the anomaly; NULL as long as no attempt can have reached the resident.
  told         text CHECK (told IN ('open', 'over', 'withdrawn')),
  attempts     integer NOT NULL DEFAULT 0,
  refusals     integer NOT NULL DEFAULT 0,  -- temporary refusals by the mail server
  not_before   timestamptz NOT NULL,
  owner        integer,                     -- advisory lock of the sender that has it in hand
  lease_until  timestamptz,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  accepted_at  timestamptz,
  CHECK ((kind = 'confirmation') = (confirmation_id IS NOT NULL)),
  CHECK ((kind = 'confirmation') = (anomaly IS NULL)),
  UNIQUE (anomaly, kind, stage, contact_id, channel)
);
CREATE INDEX outbox_due ON outbox (not_before) WHERE state IN ('queued', 'held', 'sending', 'unknown');
CREATE INDEX outbox_by_contact ON outbox (contact_id);

CREATE SEQUENCE outbox_owners AS integer CYCLE;
