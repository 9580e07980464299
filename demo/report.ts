import { colours, table } from "../cli/terminal.js";
import { TELLS, type MailLine } from "./alerts.js";
import type { AnomalyLine, FileLine, RejectLine, UsageLine } from "./comparison.js";
import type { Mail } from "./mailbox.js";
import { moment } from "./mailbox-page.js";
import type { Texting } from "./texting.js";
import type { Town } from "./town.js";

/** All that a run found out. */
export interface Result {
  readonly town: Town;
  readonly anomalies: readonly AnomalyLine[];
  readonly mails: readonly MailLine[];
  readonly texting: Texting;
  readonly files: readonly FileLine[];
  readonly rejects: readonly RejectLine[];
  readonly usage: UsageLine;
  /** One mail to show. */
  readonly example: Mail | undefined;
  readonly seconds: {
    readonly total: number;
    /** Inside the drains of ingest and detect. */
    readonly reading: number;
  };
}

/** Addresses that are open for a look. */
export interface Addresses {
  readonly mailbox: string;
  readonly clickhouse: string;
  readonly web: string;
  readonly folder: string;
}

const isAlert = ({ tells }: MailLine) => tells !== TELLS.confirmation;
const mailEqual = ({ expected, sent }: MailLine) => expected && sent;

/** Whether all that was found equals what was planted. */
export function allEqual({ anomalies, mails, texting, files, rejects, usage }: Result): boolean {
  return (
    anomalies.every(({ equal }) => equal) &&
    mails.every(mailEqual) &&
    texting.equal &&
    files.every(({ equal }) => equal) &&
    rejects.every(({ equal }) => equal) &&
    usage.equal
  );
}

/** What `--json` prints. Times are ISO 8601, volumes litres. */
export function jsonResult(result: Result, addresses: Addresses | undefined) {
  const { town, anomalies, mails, texting, files, rejects, usage, example, seconds } = result;
  const iso = (second: number) => new Date(second * 1000).toISOString();
  const judged = (one: AnomalyLine["planted"]) =>
    one === undefined
      ? null
      : {
          start: iso(one.start),
          end: iso(one.end),
          state: one.state,
          litres: Math.round(one.litres * 10) / 10,
        };
  return {
    equal: allEqual(result),
    homes: town.homes.length,
    days: town.days,
    seconds: round(seconds.total),
    readsPerSecond: Math.round(usage.reads / seconds.reading),
    usage: {
      reads: usage.reads,
      expectedReads: usage.expectedReads,
      litres: Math.round(usage.litres),
      expectedLitres: Math.round(usage.expectedLitres),
    },
    anomalies: anomalies.map(({ what, planted, found, equal }) => ({
      home: (planted ?? found)!.home,
      rule: (planted ?? found)!.rule,
      what,
      planted: judged(planted),
      found: judged(found),
      equal,
    })),
    residents: town.residents.map(({ home, kinds, confirms }) => ({ home, kinds, confirmed: confirms })),
    mails: mails.map(({ home, tells, at, expected, sent }) => ({ home, tells, at: iso(at), expected, sent })),
    texts: texting.lines.map((line) => ({ ...line, at: iso(line.at) })),
    files: files.map(({ name, note, state, correction, reads, rejected, reason, equal }) => ({
      name,
      note,
      state,
      correction,
      reads,
      rejected,
      reason,
      equal,
    })),
    rejects: rejects.map(({ file, line, code, field, value, equal }) => ({
      file,
      line,
      code,
      field,
      value,
      equal,
    })),
    mail: example === undefined ? null : { subject: example.subject, text: example.text },
    open: addresses ?? null,
  };
}

/** The tables that people read. */
export function printResult(out: NodeJS.WritableStream, result: Result): void {
  const { town, anomalies, mails, texting, files, rejects, usage, example, seconds } = result;
  const { bold, dim, green, red } = colours(out);
  const write = (text: string) => out.write(text);
  const title = (text: string) => write(`\n${bold(text)}\n`);
  const verdict = (equal: boolean) => (equal ? "equal" : "DIFFERENT");
  const at = (second: number | undefined) => (second === undefined ? "" : moment(town, second));
  const paint = (text: string) => text.replaceAll("DIFFERENT", red("DIFFERENT"));

  title("Planted against found");
  write(
    paint(
      table(anomalies, [
        { title: "home", value: ({ planted, found }) => (planted ?? found)!.home },
        { title: "rule", value: ({ planted, found }) => (planted ?? found)!.rule },
        { title: "planted", value: ({ what }) => what },
        { title: "from", value: ({ planted }) => at(planted?.start) },
        {
          title: "to",
          value: ({ planted }) => (planted?.state === "goes on" ? "goes on" : at(planted?.end)),
        },
        { title: "found from", value: ({ found }) => (found === undefined ? "not found" : at(found.start)) },
        { title: "to", value: ({ found }) => (found?.state === "goes on" ? "goes on" : at(found?.end)) },
        {
          title: "gallons",
          value: ({ planted, found }) => Math.round((found ?? planted)!.litres / 3.785411784),
        },
        { title: "", value: ({ equal }) => verdict(equal) },
      ]),
    ),
  );
  const negatives = town.homes.filter(({ negative }) => negative !== undefined).length;
  write(
    dim(
      `${town.homes.length} homes; ${negatives} of them look like trouble and are none (a drip below the threshold, a cooler, irrigation, a meter exchange …).\n`,
    ),
  );

  title("Mails that went out");
  const confirmations = mails.filter((line) => !isAlert(line));
  const confirmed = town.residents.filter(({ confirms }) => confirms).length;
  write(
    `${confirmations.filter(({ sent }) => sent).length} confirmation mails; ${confirmed} residents confirmed, ${town.residents.length - confirmed} did not.\n`,
  );
  write(
    paint(
      table(
        mails.filter((line) => isAlert(line) || !mailEqual(line)),
        [
          { title: "sent", value: (line) => at(line.at) },
          { title: "home", value: ({ home }) => home },
          { title: "says", value: ({ tells }) => tells },
          {
            title: "",
            value: (line) =>
              mailEqual(line) ? "equal" : line.sent ? "DIFFERENT: not expected" : "DIFFERENT: not sent",
          },
        ],
      ),
    ),
  );

  title("Texts with three residents");
  write(
    table(texting.lines, [
      { title: "at", value: (line) => at(line.at) },
      { title: "home", value: ({ home }) => home },
      { title: "", value: ({ by, body }) => (by === "resident" ? `> ${body}` : body) },
    ]),
  );
  write(paint(`Each was asked, told and understood, and a stop was the end: ${verdict(texting.equal)}.\n`));
  if (texting.why.length > 0)
    write(dim(`Why the one who stopped was not told: ${texting.why.join("; ")}.\n`));

  title("Files");
  const special = files.filter(({ note, equal }) => note !== "" || !equal);
  write(
    `${files.length} dropped, ${files.filter(({ state }) => state === "archived").length} taken. Those that are special:\n`,
  );
  write(
    paint(
      table(special, [
        { title: "file", value: ({ name }) => name },
        { title: "what", value: ({ note }) => note },
        { title: "state", value: ({ state, correction }) => (correction ? `${state}, a correction` : state) },
        { title: "reads", value: ({ reads }) => reads },
        { title: "rejected", value: ({ rejected }) => rejected },
        { title: "", value: ({ equal }) => verdict(equal) },
      ]),
    ),
  );

  title("Rejected, and why");
  for (const { name, reason } of files) if (reason !== null) write(`${name}, the whole file: ${reason}\n`);
  write(
    paint(
      table(rejects, [
        { title: "file", value: ({ file }) => file },
        { title: "line", value: ({ line }) => line },
        { title: "reason", value: ({ code }) => code },
        { title: "column", value: ({ field }) => field },
        { title: "received", value: ({ value }) => value },
        { title: "", value: ({ equal }) => verdict(equal) },
      ]),
    ),
  );

  if (example !== undefined) {
    title("One mail in full");
    write(`From:    ${example.from}\nTo:      a resident\nSubject: ${example.subject}\n\n`);
    write(example.text.replace(/^/gm, "  ").trimEnd() + "\n");
  }

  title("In all");
  write(
    paint(
      `${number(usage.reads)} reads in ClickHouse, ${number(usage.litres / 1000)} m³ between them (expected ${number(usage.expectedReads)} and ${number(usage.expectedLitres / 1000)} m³): ${verdict(usage.equal)}.\n`,
    ),
  );
  write(
    `${number(usage.reads / seconds.reading)} reads a second from file to ClickHouse, in daily files of ${town.homes.length} homes; ${round(seconds.total)} s in total.\n`,
  );
  write(
    allEqual(result)
      ? `${green("What was found equals what was planted.")}\n`
      : `${red("What was found differs from what was planted: see the lines marked DIFFERENT.")}\n`,
  );
}

export function printAddresses(out: NodeJS.WritableStream, addresses: Addresses): void {
  const { bold } = colours(out);
  out.write(`\n${bold("Open for a look, until Ctrl-C")}\n`);
  out.write(`mailbox     ${addresses.mailbox}\n`);
  out.write(`sign-up     ${addresses.web}\n`);
  out.write(`ClickHouse  ${addresses.clickhouse}  (read only)\n`);
  out.write(`            curl '${addresses.clickhouse}/?query=SELECT+*+FROM+curbstop.anomalies_current'\n`);
  out.write(`folder      ${addresses.folder}, which stays\n`);
}

const round = (seconds: number) => Math.round(seconds * 10) / 10;
const number = (value: number) => Math.round(value).toLocaleString("en-US");
