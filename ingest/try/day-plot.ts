const HEIGHT = 8;
const BLOCKS = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/**
 * A day by hours as bars, 80 columns wide.
 * @param litres of each hour; null: no read, shown as `?`
 * @param ascii no block characters
 */
export function plotDay(litres: readonly (number | null)[], ascii: boolean): string {
  const most = Math.max(0, ...litres.map((one) => one ?? 0));
  const top = niceAbove(most);
  const label = Math.max(4, short(top).length);
  const lines: string[] = [];
  for (let row = HEIGHT - 1; row >= 0; row--) {
    const bars = litres.map((one) => {
      if (one === null) return row === 0 ? " ? " : "   ";
      const filled = (one / top) * HEIGHT - row;
      return ascii ? asciiBar(filled, row === 0 && one > 0) : blockBar(filled, row === 0 && one > 0);
    });
    const scale = row === HEIGHT - 1 ? short(top) : row === HEIGHT / 2 - 1 ? short(top / 2) : "";
    lines.push(`${scale.padStart(label)} ${ascii ? "|" : "│"}${bars.join("")}`.trimEnd());
  }
  lines.push(`${"L".padStart(label)} ${ascii ? "+" : "└"}${(ascii ? "-" : "─").repeat(litres.length * 3)}`);
  lines.push(`${"".padStart(label)}  ${litres.map((_, hour) => String(hour).padStart(2, "0")).join(" ")}`);
  return lines.map((line) => line + "\n").join("");
}

/** @param some however little, it is seen in the lowest row */
function blockBar(filled: number, some: boolean): string {
  const eighths = Math.min(8, Math.max(some ? 1 : 0, Math.round(filled * 8)));
  return eighths === 0 ? "   " : `${BLOCKS[eighths]!.repeat(2)} `;
}

function asciiBar(filled: number, some: boolean): string {
  if (filled >= 0.5) return "## ";
  return some ? ".. " : "   ";
}

/** The next of 1, 2, 5 times a power of ten. */
function niceAbove(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= most) ?? 10 * power;
}

function short(litres: number): string {
  return litres >= 1 ? litres.toLocaleString("en", { maximumFractionDigits: 1 }) : litres.toPrecision(1);
}
