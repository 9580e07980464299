-- A budget: what the people of the home want to keep to in a calendar month; `rate` is mL a month.
ALTER TABLE declarations DROP CONSTRAINT declarations_kind_check;
ALTER TABLE declarations ADD CONSTRAINT declarations_kind_check
  CHECK (kind IN ('normal', 'away', 'on-purpose', 'budget'));
ALTER TABLE declarations DROP CONSTRAINT declarations_check;
ALTER TABLE declarations ADD CONSTRAINT declarations_check
  CHECK ((kind = 'normal') = (meter_key IS NOT NULL) AND (kind IN ('normal', 'budget')) = (rate IS NOT NULL));
ALTER TABLE declarations DROP CONSTRAINT declarations_check1;
ALTER TABLE declarations ADD CONSTRAINT declarations_check1
  CHECK (kind IN ('normal', 'budget') OR until_at IS NOT NULL);
