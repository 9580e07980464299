-- A source may take a meter's id from the names of its files: then the same bytes under another name are another file.
ALTER TABLE files ADD COLUMN name_counts boolean NOT NULL DEFAULT false;
DROP INDEX files_once;
CREATE UNIQUE INDEX files_once ON files (utility, source, sha256, (CASE WHEN name_counts THEN name ELSE '' END))
  WHERE state <> 'duplicate' AND again_of IS NULL;
