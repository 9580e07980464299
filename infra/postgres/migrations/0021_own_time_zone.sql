-- Where a contact lives, if not where the water is: it is written to while it is day in both. NULL: the utility's zone.
ALTER TABLE contacts ADD COLUMN time_zone text;
