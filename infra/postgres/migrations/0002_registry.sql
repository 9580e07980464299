-- What the importer learns from crosswalk and billing exports: who lives where, on which meter, and since when.
-- Columns *_hash are keyed hashes (equality look-up), columns *_sealed are AES-256-GCM under the utility's key with
-- utility, table, column and row as associated data. Nothing here leaves PostgreSQL but meter_key.

CREATE TABLE meters (
  meter_key  char(16) PRIMARY KEY,          -- random surrogate, 16 hex characters: the only name of a meter outside
  utility    text NOT NULL,
  id_hash    bytea NOT NULL,                -- of the canonical meter id
  id_sealed  bytea NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (utility, id_hash)
);

CREATE TABLE registers (
  meter_key     char(16) NOT NULL REFERENCES meters,
  number        integer NOT NULL,           -- 1, 2, … in the order in which serials were first seen
  serial_hash   bytea NOT NULL,
  serial_sealed bytea NOT NULL,
  PRIMARY KEY (meter_key, number),
  UNIQUE (meter_key, serial_hash)
);

CREATE TABLE premises (
  premise_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility        text NOT NULL,
  location_hash  bytea NOT NULL,            -- of the utility's location id
  address_sealed bytea,
  zip_hash       bytea,                     -- proof of address at sign-up
  UNIQUE (utility, location_hash)
);

CREATE TABLE accounts (
  account_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility       text NOT NULL,
  number_hash   bytea NOT NULL,
  number_sealed bytea NOT NULL,
  UNIQUE (utility, number_hash)
);

CREATE TABLE customers (
  customer_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility       text NOT NULL,
  account_id    bigint NOT NULL UNIQUE REFERENCES accounts,
  name_sealed   bytea,
  email_sealed  bytea,                      -- provided by the utility: not a consent
  phone_sealed  bytea
);

-- Which meter measures a premise, from a time to a time (until NULL: still).
CREATE TABLE premise_meters (
  premise_id bigint NOT NULL REFERENCES premises,
  meter_key  char(16) NOT NULL REFERENCES meters,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz,
  PRIMARY KEY (premise_id, meter_key, valid_from)
);
CREATE INDEX premise_meters_by_meter ON premise_meters (meter_key);

-- Who holds the account of a premise, from a time to a time: alerts and usage are bound to it, not to the meter.
CREATE TABLE occupancies (
  occupancy_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility      text NOT NULL,
  account_id   bigint NOT NULL REFERENCES accounts,
  premise_id   bigint NOT NULL REFERENCES premises,
  valid_from   timestamptz NOT NULL,
  valid_until  timestamptz,
  UNIQUE (account_id, premise_id, valid_from)
);
CREATE INDEX occupancies_by_premise ON occupancies (premise_id);
