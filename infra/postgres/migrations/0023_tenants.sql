-- Rows by utility: whoever works for one utility (a resident's page, a call of a provider, a command of its staff) does so as
-- role curbstop_tenant with `curbstop.utility` set for the transaction, and the database shows and takes the rows of that
-- utility alone. Stages, which work for all, are the owner of the tables and see all.
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'curbstop_tenant') THEN
    CREATE ROLE curbstop_tenant NOLOGIN;
  END IF;
  IF NOT pg_has_role(current_user, 'curbstop_tenant', 'MEMBER') THEN
    EXECUTE format('GRANT curbstop_tenant TO %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE EXCEPTION 'Curbstop keeps utilities apart by a role that it may not make here. Let an administrator of PostgreSQL run: CREATE ROLE curbstop_tenant NOLOGIN; GRANT curbstop_tenant TO %;', quote_ident(current_user);
END $$;

-- What a view shows is what its reader may see.
ALTER VIEW active_consents SET (security_invoker = true);
ALTER VIEW recipients SET (security_invoker = true);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['meters', 'premises', 'accounts', 'customers', 'occupancies', 'files', 'contacts', 'confirmations',
    'consents', 'consent_chains', 'consents_forgotten', 'anomalies_seen', 'decisions', 'outbox', 'pulled_files', 'pull_marks',
    'feed_watches', 'feed_alarms', 'suppressions', 'texts_received', 'answers', 'channel_pauses', 'erasures', 'erasure_holds',
    'declarations', 'rules_judged'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY tenant ON %I TO curbstop_tenant USING (utility = current_setting(''curbstop.utility''))', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO curbstop_tenant', name);
  END LOOP;
END $$;

-- Those without a utility of their own follow the row that they belong to.
ALTER TABLE registers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registers TO curbstop_tenant USING (EXISTS (SELECT 1 FROM meters m WHERE m.meter_key = registers.meter_key));
ALTER TABLE premise_meters ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON premise_meters TO curbstop_tenant
  USING (EXISTS (SELECT 1 FROM premises p WHERE p.premise_id = premise_meters.premise_id));
ALTER TABLE meters_to_tell ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON meters_to_tell TO curbstop_tenant
  USING (EXISTS (SELECT 1 FROM meters m WHERE m.meter_key = meters_to_tell.meter_key));
ALTER TABLE rejects ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON rejects TO curbstop_tenant USING (EXISTS (SELECT 1 FROM files f WHERE f.file = rejects.file));
GRANT SELECT, INSERT, UPDATE, DELETE ON registers, premise_meters, meters_to_tell, rejects TO curbstop_tenant;
GRANT SELECT ON active_consents, recipients TO curbstop_tenant;
