-- A part of a checkpoint's size is one file instead of one for each column: so many fewer to write and to sync. What is
-- merged of them is written by columns again, once it has 128 MiB. Twenty parts at once are merged half as often as ten.
ALTER TABLE curbstop.register_reads MODIFY SETTING min_parts_to_merge_at_once = 20, min_bytes_for_wide_part = 134217728;

ALTER TABLE curbstop.intervals MODIFY SETTING min_parts_to_merge_at_once = 20, min_bytes_for_wide_part = 134217728;
