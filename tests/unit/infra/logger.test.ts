import { createLogger, errorFields, type LogFields } from "../../../infra/logger.js";

it("leaves out fields that are not on the list, and says how many", () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => lines.push(line) });
  logger.info("file done", { file: 7, email: "ana@example.org", phone: "+15550100" } as LogFields);
  logger.child({ meter: "M-1" } as LogFields).warn("again");
  expect(lines.join("")).not.toMatch(/ana@example|5550100|M-1/);
  expect(JSON.parse(lines[0]!)).toMatchObject({ event: "file done", file: 7, dropped: 2 });
});

it("keeps what is written in one line, whatever it holds", () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => lines.push(line) });
  const forged = 'x"}\n{"level":30,"event":"file done","file":8}\r\n\u2028';
  logger.info(forged, { source: forged });
  expect(lines).toHaveLength(1);
  expect(lines[0]!.trimEnd()).not.toMatch(/[\n\r]/);
  expect(JSON.parse(lines[0]!)).toMatchObject({ event: forged, source: forged });
});

it("logs of an error its class and code, never its message", () => {
  const error = Object.assign(new RangeError("550 ana@example.org rejected"), { code: "EENVELOPE" });
  expect(errorFields(error)).toEqual({ errorName: "RangeError", code: "EENVELOPE" });
  expect(errorFields("ana@example.org")).toEqual({ errorName: "string" });
});
