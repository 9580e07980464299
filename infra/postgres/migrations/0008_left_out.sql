-- Rows that a source's filters don't take, and the columns that it does not speak of.
ALTER TABLE files
  ADD COLUMN left_out bigint NOT NULL DEFAULT 0,             -- rows + rejected + left_out are all rows of reads
  ADD COLUMN unknown_columns text[] NOT NULL DEFAULT '{}';   -- names from the header, never a value
