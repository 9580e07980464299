-- Who was erased is a contact without an address: its keyed hash stays with the proof of what was agreed to, and the
-- same address that signs up again is another contact.
ALTER TABLE contacts
  ALTER COLUMN address_sealed DROP NOT NULL,
  ADD COLUMN erased_at timestamptz,
  ADD CHECK ((address_sealed IS NULL) = (erased_at IS NOT NULL)),
  DROP CONSTRAINT contacts_utility_channel_address_hash_key;
CREATE UNIQUE INDEX contacts_by_address ON contacts (utility, channel, address_hash) WHERE erased_at IS NULL;
CREATE INDEX contacts_by_former_address ON contacts (utility, address_hash);

-- Requests to be erased, and what became of them. Nothing in it names a person.
CREATE TABLE erasures (
  receipt      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  utility      text NOT NULL,
  contact_id   uuid NOT NULL REFERENCES contacts,
  asked_by     text NOT NULL CHECK (asked_by IN ('page', 'staff', 'retention')),
  asked_at     timestamptz NOT NULL,
  due_at       timestamptz NOT NULL,
  -- The address is gone and nothing is sent any more; then the key is destroyed.
  erased_at    timestamptz,
  key_gone_at  timestamptz,
  CHECK (key_gone_at IS NULL OR erased_at IS NOT NULL)
);
CREATE UNIQUE INDEX erasures_open ON erasures (contact_id) WHERE erased_at IS NULL;
CREATE INDEX erasures_unfinished ON erasures (asked_at) WHERE key_gone_at IS NULL;

-- Reasons for which a contact must not be erased yet, such as a dispute before a court.
CREATE TABLE erasure_holds (
  hold_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility    text NOT NULL,
  contact_id uuid NOT NULL REFERENCES contacts,
  reason     text NOT NULL,
  at         timestamptz NOT NULL,
  until      timestamptz,                   -- it ends by itself; NULL: until it is lifted
  lifted_at  timestamptz
);
CREATE INDEX erasure_holds_by_contact ON erasure_holds (contact_id) WHERE lifted_at IS NULL;

-- What ends by itself is looked for by its age.
CREATE INDEX contacts_unconfirmed ON contacts (created_at) WHERE verified_at IS NULL AND erased_at IS NULL;
CREATE INDEX texts_received_by_age ON texts_received (received_at);
