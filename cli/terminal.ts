/** Whether a stream is a terminal that shows colours and lines that change. */
export function isTerminal(stream: NodeJS.WritableStream): boolean {
  return (stream as { isTTY?: boolean }).isTTY === true;
}

const wants = (stream: NodeJS.WritableStream) => isTerminal(stream) && process.env["NO_COLOR"] === undefined;

/** Colours on a terminal, plain text elsewhere and under NO_COLOR. */
export function colours(stream: NodeJS.WritableStream) {
  const paint = (code: number) => (text: string) =>
    wants(stream) ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { bold: paint(1), dim: paint(2), red: paint(31), green: paint(32), yellow: paint(33) };
}

/** An instant in UTC, to the minute: 2026-11-28 09:05. */
export function minute(time: Date): string {
  return time.toISOString().slice(0, 16).replace("T", " ");
}

export interface TableColumn<T> {
  readonly title: string;
  readonly value: (row: T) => string | number | null;
}

/** Rows as text: columns as wide as their longest value, numbers to the right. */
export function table<T>(rows: readonly T[], columns: readonly TableColumn<T>[]): string {
  const cells = rows.map((row) => columns.map(({ value }) => value(row)));
  const text = cells.map((row) => row.map((cell) => (cell === null ? "" : String(cell))));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...text.map((row) => row[i]!.length)));
  const right = columns.map((_, i) => cells.length > 0 && cells.every((row) => typeof row[i] === "number"));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (right[i] === true ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    line(widths.map((width) => "-".repeat(width))),
    ...text.map(line),
  ]
    .map((one) => one + "\n")
    .join("");
}

const MOST_WIDTH = 100;

/** Text in lines as wide as the terminal, all behind an indent as wide as the first's. */
export function wrapped(lead: string, text: string): string {
  const width = isTerminal(process.stdout) ? Math.min(process.stdout.columns, MOST_WIDTH) : 80;
  const indent = " ".repeat(lead.replace(/\u001b\[\d+m/g, "").length);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((one, i) => `${i === 0 ? lead : indent}${one}\n`).join("");
}

/** One line on a terminal that is written over as work goes on; nothing elsewhere. */
export class ProgressLine {
  readonly #stream: NodeJS.WritableStream;
  #shown = 0;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  show(label: string, done: number, total: number, detail: string): void {
    if (!isTerminal(this.#stream) || performance.now() - this.#shown < 100) return;
    this.#shown = performance.now();
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.round(share * 24);
    this.#stream.write(
      `\r\u001b[K${label} [${"#".repeat(filled)}${".".repeat(24 - filled)}] ${Math.round(share * 100)} % ${detail}`,
    );
  }

  clear(): void {
    if (isTerminal(this.#stream)) this.#stream.write("\r\u001b[K");
  }
}
