/** Characters of the GSM 7-bit default alphabet (3GPP TS 23.038, 6.2.1): one septet each. */
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
/** Those of its extension table (6.2.1.1): an escape before each, two septets. */
const EXTENDED = new Set("\f^{}\\[~]|€");

/** Septets or UTF-16 units of a message that goes as one, and of each part of one that does not (the rest is its header). */
const GSM_7 = { single: 160, part: 153 };
const UCS_2 = { single: 70, part: 67 };

export interface Segments {
  readonly encoding: "GSM-7" | "UCS-2";
  /** Septets or UTF-16 units. */
  readonly units: number;
  /** What carriers count and charge; 0 for an empty text. */
  readonly segments: number;
  /** Characters outside GSM-7, each once: a single one makes the whole message UCS-2. */
  readonly outside: readonly string[];
}

/** How a text goes over the air. */
export function segmentsOf(text: string): Segments {
  const characters = Array.from(text);
  const outside = [...new Set(characters.filter((one) => !BASIC.has(one) && !EXTENDED.has(one)))];
  const gsm = outside.length === 0;
  const sizes = characters.map((one) => (gsm ? (EXTENDED.has(one) ? 2 : 1) : one.length));
  const units = sizes.reduce((sum, size) => sum + size, 0);
  const { single, part } = gsm ? GSM_7 : UCS_2;
  const encoding = gsm ? "GSM-7" : "UCS-2";
  if (units <= single) return { encoding, units, segments: units === 0 ? 0 : 1, outside };
  // No character is split between two parts.
  let segments = 1;
  let filled = 0;
  for (const size of sizes) {
    if (filled + size > part) {
      segments++;
      filled = 0;
    }
    filled += size;
  }
  return { encoding, units, segments, outside };
}
