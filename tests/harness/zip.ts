import { crc32, deflateRawSync } from "node:zlib";

/** A member of a zip archive; what is given beside its bytes is written as it stands, right or wrong. */
export interface ZipMember {
  readonly name: string;
  readonly bytes: string | Buffer;
  readonly encrypted?: boolean;
  readonly method?: number;
  readonly crc?: number;
  /** Size that the archive claims. */
  readonly size?: number;
}

/** A zip archive as APPNOTE.TXT lays it out: local headers with their data, the directory, its end. */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, encrypted = false, method = 8, ...claimed } of members) {
    const plain = Buffer.from(bytes as string);
    const packed = method === 8 ? deflateRawSync(plain) : plain;
    const { crc = crc32(plain), size = plain.length } = claimed;
    const file = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(encrypted ? 0x801 : 0x800, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(file.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, file, packed]);
    directory.push(Buffer.from("PK\u0001\u0002\u0014\0"), common, place, file);
    pieces.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", "latin1");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, listed, end]);
}
