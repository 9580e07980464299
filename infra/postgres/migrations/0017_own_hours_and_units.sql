-- What residents chose of how they are written to; NULL: as the utility has it. Hours are local, hh:mm, within the utility's.
ALTER TABLE contacts
  ADD COLUMN units      text CHECK (units IN ('gal', 'L', 'm3', 'ft3')),
  ADD COLUMN send_from  text CHECK (send_from ~ '^\d\d:\d\d$'),
  ADD COLUMN send_until text CHECK (send_until ~ '^\d\d:\d\d$'),
  ADD CHECK ((send_from IS NULL) = (send_until IS NULL));
