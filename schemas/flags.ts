/**
 * Flags of a read or an interval: a bit field that travels with it to ClickHouse. Bits 0–7 and 16–23 come from the
 * file; bits 8–15 and 24–30 are set by the detector, which knows the history.
 */
export const Flag = {
  /** The head-end made the value up; it neither raises nor clears an alert, and an actual read replaces it. */
  estimated: 1 << 0,
  /** Changed by people or by the head-end's validation after the reading. */
  adjusted: 1 << 1,
  /** The head-end doubts it. */
  suspect: 1 << 2,
  /** The meter or its head-end reports a leak. */
  deviceLeak: 1 << 3,
  /** The meter or its head-end reports a burst. */
  deviceBurst: 1 << 4,
  /** The meter or its head-end reports water flowing back. */
  deviceBackflow: 1 << 5,
  /** The meter reports a fault of its own: tamper, magnet, cut wire, tilt, low battery. */
  deviceFault: 1 << 6,
  /** The device says that its register was reset, or that it was installed at this read. */
  deviceReset: 1 << 7,
  /** The register fell by no more than its tolerance: taken as no flow. */
  stepBack: 1 << 8,
  /** The register passed its highest value and began again at zero. */
  rollover: 1 << 9,
  /** First read of another register (meter exchange, reset): no usage is derived across it. */
  exchange: 1 << 10,
  /** The register fell by more than its tolerance without a rollover: no usage is derived across it. */
  negative: 1 << 11,
  /** More than the meter can pass in the time. */
  overCapacity: 1 << 12,
  /** Covers a hole between reads: its volume is a total, not the flow of one hour. */
  gap: 1 << 13,
  /** A register read in another unit, or multiplied otherwise, than the registry says of the meter. */
  otherUnit: 1 << 14,
  /** The register fell by as much as can have flowed back in the time: by up to a hundred steps, and by more. */
  backflowMinor: 1 << 15,
  backflowMajor: 1 << 24,
  /** The meter reports that it runs dry. */
  deviceDry: 1 << 16,
  /** The device says that its register passed its highest value before this read. */
  deviceRollover: 1 << 17,
  /** The device's clock was wrong, or was set, at this read. */
  deviceClock: 1 << 18,
  /** Taken while the meter was tested: no customer used the water. */
  testMode: 1 << 19,
} as const;

/** Reads with any of these are neutral for the rules. */
export const DOUBTFUL = Flag.estimated | Flag.suspect | Flag.overCapacity | Flag.otherUnit | Flag.testMode;
