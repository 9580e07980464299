ALTER TABLE curbstop.register_reads MODIFY SETTING min_parts_to_merge_at_once = 20, min_bytes_for_wide_part = 134217728;

ALTER TABLE curbstop.intervals MODIFY SETTING min_parts_to_merge_at_once = 20, min_bytes_for_wide_part = 134217728;
