-- Buckets of a few kilobytes stay in their row: cut into pieces of two kilobytes beside it, each cost a row and an index entry.
ALTER TABLE detector_state SET (toast_tuple_target = 8160);
