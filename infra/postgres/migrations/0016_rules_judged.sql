-- Rules that the detector judges, by utility, and since when: one that is put in later does not judge what came before, so no
-- storm of alerts follows.
CREATE TABLE rules_judged (
  utility text NOT NULL,
  rule    text NOT NULL,
  since   timestamptz,                       -- event time; NULL: from the first read on
  PRIMARY KEY (utility, rule)
);
