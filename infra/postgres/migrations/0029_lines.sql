-- What a provider said of a number when it was looked up: the kind of line, and whose network it is on (`carrier`, its name
-- there). NULL: nobody asked, or it did not know.
ALTER TABLE contacts ADD COLUMN line text CHECK (line IN ('mobile', 'landline', 'voip', 'other')),
  ADD COLUMN carrier text, ADD COLUMN looked_up_at timestamptz;
