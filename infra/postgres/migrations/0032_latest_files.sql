-- Feeds are watched by the latest files of each source.
CREATE INDEX files_latest ON files (utility, source, published_at DESC, file DESC) WHERE state IN ('published', 'archived');
