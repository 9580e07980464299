import fc from "fast-check";
import { guess } from "../../../ingest/try/guess.js";
import { notText } from "../../../ingest/formats/not-text.js";

const hex = (bytes: string) => Buffer.from(bytes, "hex");
const tar = Buffer.alloc(1024);
tar.write("reads.csv");
tar.write("ustar\0", 257);

/** First bytes as the programs themselves wrote them. */
const KINDS: readonly (readonly [kind: string, bytes: Buffer, word: string])[] = [
  ["a workbook of the old kind", hex("d0cf11e0a1b11ae1000000000000"), ".xls"],
  ["a PDF", Buffer.from("%PDF-1.7\n%\u00e2\u00e3", "latin1"), "PDF"],
  ["Parquet", Buffer.from("PAR1\x15\x04\x15", "latin1"), "Parquet"],
  ["SQLite", Buffer.from("SQLite format 3\0\x10\0"), "SQLite"],
  ["7z", hex("377abcaf271c0004"), "7z"],
  ["RAR", Buffer.from("Rar!\x1a\x07\x01\x00", "latin1"), "RAR"],
  ["xz", hex("fd377a585a000004e6d6b4460200"), "xz"],
  ["bzip2", hex("425a6839314159265359a07f39d9"), "bzip2"],
  ["zstd", hex("28b52ffd24273901006d65746572"), "zstd"],
  ["compress", hex("1f9d906dca"), "compress"],
  ["tar", tar, "tar"],
  ["PGP to a key", hex("85010c03159d5b049b69c2ec0108"), "PGP"],
  ["PGP to a key, newer packets", hex("c1c04c03159d5b049b69c2ec01"), "PGP"],
  ["PGP by a passphrase", hex("8c0d0409030258478a21230abcaf"), "PGP"],
  ["PGP, armoured", Buffer.from("-----BEGIN PGP MESSAGE-----\n\nhQEM"), "PGP"],
  ["a web page", Buffer.from("\n<!DOCTYPE html>\n<html><head><title>Sign in"), "web page"],
  ["a web page without a doctype", Buffer.from("<HTML><BODY>504"), "web page"],
];

it.each(KINDS)("tells %s, and what to do about it", (_, bytes, word) => {
  expect(notText(bytes)).toContain(word);
  expect(() => guess({ head: bytes, whole: true })).toThrow(notText(bytes));
});

it("takes no text for something else, whatever its characters", () => {
  const text = fc.string({
    unit: fc.constantFrom(...Array.from("äÉñ€ABZhPKRar!%PDF-,;0123456789\n\t\"'")),
    maxLength: 600,
  });
  fc.assert(
    fc.property(text, fc.constantFrom("utf8" as const, "latin1" as const), (chars, encoding) => {
      fc.pre(!/^(%PDF-|PAR1)/.test(chars));
      expect(notText(Buffer.from(chars, encoding))).toBeUndefined();
    }),
    { numRuns: 500 },
  );
});

it("leaves XML and lines of other formats alone", () => {
  for (const text of ['<?xml version="1.0"?><feed>', "MEPMD01,19970819", '{"id":"1"}', "100,NEM12,2026", ""])
    expect(notText(Buffer.from(text))).toBeUndefined();
});
