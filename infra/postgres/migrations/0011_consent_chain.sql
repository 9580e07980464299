-- Each step of a consent holds the hash of the one before it, by utility: a step that is changed, taken out or put in later
-- shows. `curbstop consents verify` follows the chain and tells its head, for keeping elsewhere.
ALTER TABLE consents ADD COLUMN place bigint, ADD COLUMN chain bytea;

-- The last step of each utility. Its row is locked by whoever adds one: steps get their places in the order of the chain.
CREATE TABLE consent_chains (
  utility text PRIMARY KEY,
  steps   bigint NOT NULL,
  head    bytea NOT NULL
);

CREATE FUNCTION consent_hash(before bytea, c consents) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT sha256(before || convert_to(jsonb_build_array(
    c.place, c.utility, c.contact_id, c.occupancy_id, c.kind, c.channel, c.action, c.method, c.language, c.text_version,
    encode(c.text_hash, 'hex'), encode(c.evidence_sealed, 'hex'), (extract(epoch FROM c.at) * 1000000)::bigint)::text, 'UTF8'))
$$;

CREATE FUNCTION chain_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  last consent_chains;
BEGIN
  INSERT INTO consent_chains VALUES (NEW.utility, 0, '') ON CONFLICT DO NOTHING;
  SELECT * INTO last FROM consent_chains WHERE utility = NEW.utility FOR UPDATE;
  NEW.place := last.steps + 1;
  NEW.chain := consent_hash(last.head, NEW);
  UPDATE consent_chains SET steps = NEW.place, head = NEW.chain WHERE utility = NEW.utility;
  RETURN NEW;
END $$;

-- Steps from before this migration, in the order in which they were numbered.
ALTER TABLE consents DISABLE TRIGGER consents_append_only;
DO $$
DECLARE
  step consents;
  last consent_chains;
BEGIN
  FOR step IN SELECT * FROM consents ORDER BY consent_id LOOP
    INSERT INTO consent_chains VALUES (step.utility, 0, '') ON CONFLICT DO NOTHING;
    SELECT * INTO last FROM consent_chains WHERE utility = step.utility;
    step.place := last.steps + 1;
    step.chain := consent_hash(last.head, step);
    UPDATE consents SET place = step.place, chain = step.chain WHERE consent_id = step.consent_id;
    UPDATE consent_chains SET steps = step.place, head = step.chain WHERE utility = step.utility;
  END LOOP;
END $$;
ALTER TABLE consents ENABLE TRIGGER consents_append_only;

ALTER TABLE consents ALTER COLUMN place SET NOT NULL, ALTER COLUMN chain SET NOT NULL, ADD UNIQUE (utility, place);
CREATE TRIGGER consents_chained BEFORE INSERT ON consents FOR EACH ROW EXECUTE FUNCTION chain_consent();

-- The first step that does not follow from those before it, NULL where all do. `steps` and `head` as the chain itself gives
-- them: where they are not those of consent_chains, steps are missing at its end.
CREATE FUNCTION follow_consents(of_utility text, OUT steps bigint, OUT head bytea, OUT broken bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
  step consents;
BEGIN
  steps := 0;
  head := '';
  FOR step IN SELECT * FROM consents c WHERE c.utility = of_utility ORDER BY c.place LOOP
    IF step.place <> steps + 1 OR step.chain <> consent_hash(head, step) THEN
      broken := step.place;
      RETURN;
    END IF;
    steps := step.place;
    head := step.chain;
  END LOOP;
END $$;
