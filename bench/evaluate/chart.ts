/** A line of a chart; points with an infinite value are left out. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Drawn in front, thick. */
  readonly ours?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** Axis labels; the x axis is logarithmic where `log` is set. */
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly log?: boolean;
}

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 60;
const RIGHT = 190;
const TOP = 40;
const BOTTOM = 50;
const COLOURS = ["#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce", "#b45309", "#be185d", "#475569", "#0f766e"];

/** A chart as SVG text, readable on light and dark pages, with its lines named at their ends and in the description. */
export function svgOf({ title, x, y, lines, xTicks, yTicks, log = false }: Chart): string {
  const scale = (value: number) => (log ? Math.log(value) : value);
  const [x0, x1] = [scale(xTicks[0]!), scale(xTicks[xTicks.length - 1]!)];
  const [y0, y1] = [yTicks[0]!, yTicks[yTicks.length - 1]!];
  const atX = (value: number) => round(LEFT + ((scale(value) - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT));
  const atY = (value: number) =>
    round(HEIGHT - BOTTOM - ((value - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM));
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    `<desc>${escape(lines.map((line) => line.name).join(", "))}</desc>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${LEFT}" y="22" font-size="15" font-weight="bold">${escape(title)}</text>`,
  ];
  for (const tick of yTicks) {
    const at = atY(tick);
    out.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#d4d4d4"/>`);
    out.push(`<text x="${LEFT - 8}" y="${at + 4}" text-anchor="end">${tick}</text>`);
  }
  for (const tick of xTicks)
    out.push(`<text x="${atX(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick}</text>`);
  out.push(
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${escape(x)}</text>`,
    `<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escape(y)}</text>`,
  );
  const labels: { at: number; name: string; colour: string; ours: boolean }[] = [];
  lines.forEach(({ name, points, ours = false }, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const shown = points
      .filter((point) => point.every(Number.isFinite))
      .map(([px, py]) => [atX(px), atY(Math.min(py, y1))] as const);
    if (shown.length === 0) return;
    const path = shown.map(([px, py]) => `${px},${py}`).join(" ");
    out.push(
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${ours ? 3 : 1.5}"/>`,
      ...shown.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="${ours ? 4 : 3}" fill="${colour}"/>`),
    );
    labels.push({ at: shown[shown.length - 1]![1], name, colour, ours });
  });
  labels.sort((a, b) => a.at - b.at);
  let free = TOP;
  for (const { at, name, colour, ours } of labels) {
    const place = Math.max(at + 4, free);
    free = place + 14;
    out.push(
      `<text x="${WIDTH - RIGHT + 10}" y="${round(place)}" fill="${colour}"${ours ? ' font-weight="bold"' : ""}>${escape(name)}</text>`,
    );
  }
  return [...out, "</svg>", ""].join("\n");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
