/**
 * ClickHouse's Native format: a block of columns, each with its name, type and values one after the other. Typed
 * arrays go in as they lie in memory (little-endian), so a block costs little more than a copy.
 */
export type NativeColumn =
  | { readonly name: string; readonly type: FixedType; readonly values: ArrayBufferView }
  | { readonly name: string; readonly type: "String"; readonly values: readonly string[] }
  | {
      readonly name: string;
      readonly type: "LowCardinality(String)";
      readonly keys: readonly string[];
      readonly values: Uint16Array;
    }
  | {
      readonly name: string;
      readonly type: `Array(${FixedType})`;
      /** UInt64 words (low, high): where in `values` each row's list ends. */
      readonly ends: Uint32Array;
      readonly values: ArrayBufferView;
    };

/**
 * Types whose values are fixed-size words; the array given must hold the same words: `UInt64` and `Int64` as
 * BigUint64Array, BigInt64Array or pairs of Uint32 (low, high), `DateTime` as Uint32Array, Enum8 as Int8Array.
 */
export type FixedType =
  | "UInt8"
  | "UInt16"
  | "UInt32"
  | "Int32"
  | "UInt64"
  | "Int64"
  | "Float64"
  | "DateTime('UTC')"
  | "DateTime64(3, 'UTC')"
  | `Enum8(${string})`
  | `FixedString(${number})`;

/** @param rows number of rows; every column must have as many */
export function encodeNative(rows: number, columns: readonly NativeColumn[]): Buffer {
  const parts: Uint8Array[] = [varint(columns.length), varint(rows)];
  for (const column of columns) {
    parts.push(text(column.name), text(column.type));
    if (column.type === "String") {
      for (const value of column.values) parts.push(text(value));
    } else if (column.type === "LowCardinality(String)") {
      parts.push(...lowCardinality(rows, column.keys, column.values));
    } else {
      if ("ends" in column) parts.push(bytesOf(column.ends));
      parts.push(bytesOf(column.values));
    }
  }
  return Buffer.concat(parts);
}

/** Version of the keys' serialisation (one dictionary in the block), then indexes of two bytes with keys beside them. */
const SHARED_DICTIONARIES = 1n;
const INDEX_UINT16 = 1n;
const HAS_ADDITIONAL_KEYS = 1n << 9n;

function lowCardinality(rows: number, keys: readonly string[], index: Uint16Array): Uint8Array[] {
  if (rows === 0) return [];
  const head = Buffer.alloc(24);
  head.writeBigUInt64LE(SHARED_DICTIONARIES, 0);
  head.writeBigUInt64LE(INDEX_UINT16 | HAS_ADDITIONAL_KEYS, 8);
  head.writeBigUInt64LE(BigInt(keys.length), 16);
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(BigInt(rows), 0);
  return [head, ...keys.map(text), count, new Uint8Array(index.buffer, index.byteOffset, rows * 2)];
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([varint(bytes.length), bytes]);
}
