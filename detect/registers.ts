import { Flag } from "../schemas/flags.js";

/** The last accepted value of a register: what the next read is compared with. */
export interface RegisterMark {
  /** UTC seconds. */
  at: number;
  /** Millilitres: the highest value so far, where the register only jittered back. */
  ml: number;
  register: number;
  /** Flags of the read, and of what happened at it (exchange, negative), for the interval that begins here. */
  flags: number;
}

export interface RegisterParameters {
  /** mL: a fall by no more is jitter. */
  readonly stepBack: number;
  /** mL/h that the meter can pass. */
  readonly maxRate: number;
  /** mL at which the register begins again at zero; 0: unknown. */
  readonly modulus: number;
  /** Smallest step of the meter's registers, mL; 0: unknown, a litre. */
  readonly resolution: number;
}

/** An interval from one accepted register read to the next. */
export interface DerivedInterval {
  readonly start: number;
  readonly length: number;
  readonly ml: number;
  readonly flags: number;
}

/** Longest interval (seconds) that still tells the flow of its hour; real hourly reads jitter up to 70 minutes. */
export const LONGEST_HOUR = 5400;

/** Steps that flowed back from which it is no trifle: 100 of the register's last digit (Neptune, DETECTION §1.1). */
const MAJOR_STEPS = 100;
const LITRE = 1000;
/** What happened at a read is told of the interval that begins there. */
const BEGINNING = Flag.exchange | Flag.negative | Flag.backflowMinor | Flag.backflowMajor;

const CARRIED = Flag.estimated | Flag.adjusted | Flag.suspect | Flag.otherUnit;
/** What the device tells at a read is told of the time before it. */
const DEVICE =
  Flag.deviceLeak |
  Flag.deviceBurst |
  Flag.deviceBackflow |
  Flag.deviceFault |
  Flag.deviceDry |
  Flag.deviceClock |
  Flag.testMode;

/**
 * Usage between the marked read and the next one, which is later. Moves the mark.
 *
 * A register of another number, or one that the device says was reset (CMEP flag bits 14, 16 and 17), begins a new
 * segment (exchange). A small fall is jitter: no flow, and the mark keeps
 * the higher value, so that water is not counted twice when the register climbs back (real Sensus registers step back
 * by 1–5 gal, FORMATS §0.1). A fall from above 90 % of the modulus whose wrapped difference the meter could have
 * passed is a rollover (DETECTION §5); so is one that the device tells of. Any other fall begins a new segment: usage is never
 * invented across it. One by no more than the meter could have passed may be water that flowed back, and gets its grade.
 *
 * @returns the interval, or `undefined` across a segment's border
 */
export function registerStep(
  mark: RegisterMark,
  at: number,
  ml: number,
  register: number,
  readFlags: number,
  parameters: RegisterParameters,
): DerivedInterval | undefined {
  const start = mark.at;
  const length = at - start;
  let flags = ((mark.flags | readFlags) & CARRIED) | (readFlags & DEVICE);
  flags |= mark.flags & BEGINNING;
  let volume = ml - mark.ml;

  mark.at = at;
  if (register !== mark.register || (readFlags & Flag.deviceReset) !== 0) {
    mark.ml = ml;
    mark.register = register;
    mark.flags = (readFlags & CARRIED) | Flag.exchange;
    return undefined;
  }
  const most = (parameters.maxRate / 3600) * length;
  if (volume < 0) {
    const wrapped = volume + parameters.modulus;
    if (-volume <= parameters.stepBack) {
      volume = 0;
      flags |= Flag.stepBack;
      ml = mark.ml;
    } else if (
      (mark.ml > 0.9 * parameters.modulus || (readFlags & Flag.deviceRollover) !== 0) &&
      wrapped >= 0 &&
      wrapped <= most
    ) {
      volume = wrapped;
      flags |= Flag.rollover;
    } else {
      mark.ml = ml;
      mark.flags =
        (readFlags & CARRIED) | Flag.negative | (-volume <= most ? gradeOf(-volume, parameters) : 0);
      return undefined;
    }
  }
  if (volume > most) flags |= Flag.overCapacity;
  if (length > LONGEST_HOUR) flags |= Flag.gap;
  mark.ml = ml;
  mark.flags = readFlags & CARRIED;
  return { start, length, ml: volume, flags };
}

/** How much flowed back, if it did. */
function gradeOf(fall: number, { resolution }: RegisterParameters): number {
  return fall > MAJOR_STEPS * (resolution || LITRE) ? Flag.backflowMajor : Flag.backflowMinor;
}
