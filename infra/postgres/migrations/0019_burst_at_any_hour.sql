-- A burst may be told at any hour to whom has ticked that by itself: a kind of its own beside leaks.
ALTER TABLE consents DROP CONSTRAINT consents_kind_check;
ALTER TABLE consents ADD CONSTRAINT consents_kind_check CHECK (kind IN ('leak', 'high-usage', 'burst'));
