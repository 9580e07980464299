-- Who looked at a resident's data and what for, and what was given to whom on what ground, beside the messages of the outbox.
CREATE TABLE privacy_log (
  entry      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  utility    text NOT NULL,
  at         timestamptz NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('look', 'disclosure')),
  actor      text NOT NULL,                 -- login name of who ran the command
  what       text NOT NULL,                 -- the command, or what was given
  purpose    text NOT NULL,
  contact_id uuid REFERENCES contacts,      -- NULL: of several, such as a list
  given_to   text,
  ground     text,                          -- consent, clause of a contract, number of a court's order
  CHECK ((kind = 'disclosure') = (given_to IS NOT NULL AND ground IS NOT NULL))
);
CREATE INDEX privacy_log_by_contact ON privacy_log (contact_id, at);
CREATE INDEX privacy_log_by_age ON privacy_log (utility, at);

CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are evidence: they are added, never changed', TG_TABLE_NAME;
END $$;
CREATE TRIGGER privacy_log_append_only BEFORE UPDATE ON privacy_log FOR EACH ROW EXECUTE FUNCTION refuse_update();

ALTER TABLE privacy_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON privacy_log TO curbstop_tenant USING (utility = current_setting('curbstop.utility'));
GRANT SELECT, INSERT ON privacy_log TO curbstop_tenant;
