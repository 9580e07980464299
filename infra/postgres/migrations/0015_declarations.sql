-- What the registry told of a meter, as the newest crosswalk row with settings has it (schemas/meters.ts): what the detector
-- is told is this together with what residents declared.
ALTER TABLE meters ADD COLUMN registry_settings jsonb NOT NULL DEFAULT '[]';

-- What residents say of their home: `normal`: such a flow is as it should be at this meter; `away`: nobody is there; `on-purpose`:
-- water runs for a pool or the like. It holds for the meters of the premise, as long as the occupancy does.
CREATE TABLE declarations (
  declaration_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility        text NOT NULL,
  occupancy_id   bigint NOT NULL REFERENCES occupancies,
  contact_id     uuid NOT NULL REFERENCES contacts,       -- who said it
  kind           text NOT NULL CHECK (kind IN ('normal', 'away', 'on-purpose')),
  meter_key      char(16) REFERENCES meters,              -- of a normal flow: the one meter that has it
  rate           bigint,                                  -- of a normal flow, mL/h: what is more is not
  from_at        timestamptz NOT NULL,
  until_at       timestamptz,                             -- NULL: until it is taken back
  at             timestamptz NOT NULL,
  CHECK ((kind = 'normal') = (meter_key IS NOT NULL) AND (kind = 'normal') = (rate IS NOT NULL)),
  CHECK (kind = 'normal' OR until_at IS NOT NULL)
);
CREATE INDEX declarations_by_occupancy ON declarations (occupancy_id);
CREATE INDEX declarations_by_contact ON declarations (contact_id);

-- Meters whose settings the detector is still to be told: a row goes when the message is in the log.
CREATE TABLE meters_to_tell (
  meter_key char(16) PRIMARY KEY REFERENCES meters
);

ALTER TABLE answers DROP CONSTRAINT answers_answer_check;
ALTER TABLE answers ADD CONSTRAINT answers_answer_check CHECK (answer BETWEEN 1 AND 4);
