/** An hour (or a longer span) of usage; times in UTC seconds. */
export interface UsageBar {
  readonly start: number;
  readonly end: number;
  readonly gallons: number;
  readonly estimated: boolean;
}

/** Time to shade, with a word about it. */
export interface Shade {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  readonly kind: "leak" | "spike";
}

const WIDTH = 1000;
const HEIGHT = 300;
const LEFT = 56;
const RIGHT = 12;
const TOP = 30;
const BOTTOM = 34;
const DAY = 86_400;

/**
 * Usage by the hour as an SVG image, with anomalies shaded behind the bars.
 * @param localTime seconds to add to UTC for the local time at an instant
 */
export function usageChart(
  bars: readonly UsageBar[],
  shades: readonly Shade[],
  localTime: (instant: number) => number,
): string {
  const from = Math.min(...bars.map(({ start }) => start));
  const until = Math.max(...bars.map(({ end }) => end));
  const rates = bars.map(({ start, end, gallons }) => (gallons * 3600) / (end - start));
  const step = niceStep(Math.max(...rates, 1) / 4);
  const most = step * Math.max(1, Math.ceil(Math.max(...rates, 1) / step));
  const x = (at: number) => LEFT + ((at - from) / (until - from)) * (WIDTH - LEFT - RIGHT);
  const y = (rate: number) => HEIGHT - BOTTOM - (rate / most) * (HEIGHT - TOP - BOTTOM);
  const parts: string[] = [];

  for (const { start, end, kind } of shades) {
    const left = Math.max(x(start), LEFT);
    const right = Math.min(x(end), WIDTH - RIGHT);
    if (right <= left) continue;
    parts.push(
      `<rect class="shade ${kind}" x="${left.toFixed(1)}" y="${TOP}" width="${Math.max(2, right - left).toFixed(1)}" height="${HEIGHT - TOP - BOTTOM}"/>`,
    );
  }
  for (let rate = 0; rate <= most + step / 2; rate += step) {
    parts.push(
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(rate).toFixed(1)}" y2="${y(rate).toFixed(1)}"/>`,
      `<text class="tick" x="${LEFT - 8}" y="${(y(rate) + 4).toFixed(1)}" text-anchor="end">${rate}</text>`,
    );
  }
  const days = Math.round((until - from) / DAY);
  const every = Math.max(1, Math.ceil(days / 10));
  let shown = 0;
  for (let at = from; at < until; at += 3600) {
    const local = at + localTime(at);
    if (local % DAY !== 0) continue;
    parts.push(
      `<line class="midnight" x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="${TOP}" y2="${HEIGHT - BOTTOM + 4}"/>`,
    );
    if (shown++ % every === 0) {
      const label = new Date(local * 1000).toLocaleDateString("en-US", {
        timeZone: "UTC",
        month: "short",
        day: "numeric",
      });
      parts.push(
        `<text class="tick" x="${(x(at) + 4).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}">${label}</text>`,
      );
    }
  }
  bars.forEach(({ start, end, estimated }, i) => {
    const rate = rates[i]!;
    if (rate === 0) return;
    const width = Math.max(0.8, x(end) - x(start) - 0.4);
    parts.push(
      `<rect class="bar${estimated ? " estimated" : ""}" x="${x(start).toFixed(1)}" y="${y(rate).toFixed(1)}" width="${width.toFixed(1)}" height="${(HEIGHT - BOTTOM - y(rate)).toFixed(1)}"/>`,
    );
  });
  for (const { start, label, kind } of shades) {
    const left = Math.min(Math.max(x(start), LEFT), WIDTH - 220);
    parts.push(
      `<text class="label ${kind}" x="${left.toFixed(1)}" y="${TOP - 10}">${escapeXml(label)}</text>`,
    );
  }
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Gallons an hour">${parts.join("")}</svg>`;
}

/** The smallest of 1, 2, 5 times a power of ten that is at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((times) => times * power >= least) ?? 10);
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
