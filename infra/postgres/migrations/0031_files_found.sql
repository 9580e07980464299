-- Each delivery looks for its bytes and its name among all that its source brought: not through every row.
CREATE INDEX files_again ON files (utility, source, sha256) WHERE state <> 'duplicate' AND again_of IS NOT NULL;
CREATE INDEX files_by_name ON files (utility, source, name);
