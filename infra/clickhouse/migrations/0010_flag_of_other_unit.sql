-- Flag 16384 is new: the registry says of a meter in which unit, and how multiplied, its register is read.
ALTER TABLE curbstop.register_reads
    COMMENT COLUMN flags 'Bit field of schemas/flags.ts: 1 estimated, 2 adjusted, 4 suspect, 16384 another unit than the registry says, 8 and more as reported by the device';

ALTER TABLE curbstop.intervals
    COMMENT COLUMN flags 'Bit field of schemas/flags.ts: 1 estimated, 2 adjusted, 4 suspect, 256 step back, 512 rollover, 4096 over capacity, 8192 hole, 16384 another unit than the registry says';
