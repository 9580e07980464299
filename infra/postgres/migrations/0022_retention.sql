-- The proof of a consent is kept for a time after it ended, then forgotten: what stays of a step is its place and hash, so
-- that the chain still holds together.
CREATE TABLE consents_forgotten (
  utility text NOT NULL,
  place   bigint NOT NULL,
  chain   bytea NOT NULL,
  PRIMARY KEY (utility, place)
);

-- A step goes only where its place in the chain was written down before.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND EXISTS (
    SELECT 1 FROM consents_forgotten f WHERE f.utility = OLD.utility AND f.place = OLD.place AND f.chain = OLD.chain) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'rows of % are evidence: they are added, never changed', TG_TABLE_NAME;
END $$;

CREATE OR REPLACE FUNCTION follow_consents(of_utility text, OUT steps bigint, OUT head bytea, OUT broken bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  at record;
BEGIN
  steps := 0;
  head := '';
  FOR at IN
    SELECT c.place, c.chain, c AS step FROM consents c WHERE c.utility = of_utility
    UNION ALL SELECT f.place, f.chain, NULL FROM consents_forgotten f WHERE f.utility = of_utility
    ORDER BY place
  LOOP
    IF at.place <> steps + 1 OR (at.step IS DISTINCT FROM NULL AND at.chain <> consent_hash(head, at.step)) THEN
      broken := at.place;
      RETURN;
    END IF;
    steps := at.place;
    head := at.chain;
  END LOOP;
END $$;

-- What ended long ago is looked for by its age.
CREATE INDEX consents_by_age ON consents (utility, at);
CREATE INDEX outbox_by_age ON outbox (utility, updated_at);
CREATE INDEX confirmations_by_age ON confirmations (utility, requested_at);
