ALTER TABLE files ADD COLUMN late_reads bigint NOT NULL DEFAULT 0; -- of `reads`: those that came as late as check `late` says
