-- Which file said what is kept of people and their homes; NULL: nothing is kept, or it came before this was written down.
ALTER TABLE premises ADD COLUMN address_file bigint REFERENCES files, ADD COLUMN zip_file bigint REFERENCES files;
ALTER TABLE customers ADD COLUMN name_file bigint REFERENCES files, ADD COLUMN email_file bigint REFERENCES files,
  ADD COLUMN phone_file bigint REFERENCES files;
ALTER TABLE meters ADD COLUMN settings_file bigint REFERENCES files;
