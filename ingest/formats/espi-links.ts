import { FileRejected } from "./format.js";

/** Links of an Atom entry, each brought into the form of `pathOf`. */
export interface EntryLinks {
  self: string;
  up: string;
  related: string[];
}

export interface UsagePoint {
  /** Path of its own link. */
  readonly path: string;
  readonly title: string;
  /** ESPI code of its service category, NaN where none is given. */
  readonly serviceKind: number;
}

/** The numbers of an ESPI reading type by the name of their element. */
export type ReadingType = ReadonlyMap<string, string>;

/** A meter reading: what joins a usage point, a reading type and blocks of readings. */
type MeterReading = EntryLinks;

export interface Joined {
  readonly type: ReadingType;
  readonly point: UsagePoint;
}

/** Characters of links and titles that are kept: of all usage points, meter readings and reading types. */
const MOST_CHARACTERS = 64 * 1024 * 1024;
/** Whoever waits for a link takes as much memory as so many characters. */
const WAITING_COST = 32;

/** A link without its server, query and outer slashes: feeds mix whole and relative ones. */
export function pathOf(href: string): string {
  let path = href.trim();
  const scheme = path.indexOf("://");
  if (scheme > 0 && /^[a-z][a-z0-9+.-]*$/i.test(path.slice(0, scheme))) {
    const slash = path.indexOf("/", scheme + 3);
    path = slash < 0 ? "" : path.slice(slash);
  }
  const query = path.search(/[?#]/);
  let to = query < 0 ? path.length : query;
  let from = 0;
  while (from < to && path[from] === "/") from++;
  while (to > from && path[to - 1] === "/") to--;
  return path.slice(from, to);
}

/**
 * Joins the entries of a Green Button feed by their links: an interval block to its meter reading, and that to its
 * reading type and its usage point. Entries come in any order: `join` says what is missing, and `take…` which wait for
 * what came.
 */
export class EspiLinks<Waiting> {
  readonly #usagePoints = new Map<string, UsagePoint>();
  readonly #meterReadings = new Map<string, MeterReading>();
  readonly #readingTypes = new Map<string, ReadingType>();
  readonly #waiting = new Map<string, Waiting[]>();
  #characters = 0;

  /** @returns who waited for it */
  takeUsagePoint(links: EntryLinks, point: UsagePoint): Waiting[] {
    this.#spend(point.title.length);
    return this.#register(
      this.#usagePoints,
      "p",
      [links.self, ...links.related.filter(leadsTo("MeterReading"))],
      point,
    );
  }

  /** @returns who waited for it */
  takeMeterReading(links: EntryLinks): Waiting[] {
    const types = links.related.filter(leadsTo("ReadingType"));
    const blocks = links.related.filter(leadsTo("IntervalBlock"));
    for (const path of [links.up, ...types]) this.#spend(path.length);
    const kept = { self: links.self, up: links.up, related: types };
    return this.#register(this.#meterReadings, "m", [links.self, ...blocks], kept);
  }

  /**
   * @returns who waited for it
   * @throws FileRejected where another one has the same link
   */
  takeReadingType(links: EntryLinks, type: ReadingType): Waiting[] {
    const other = this.#readingTypes.get(links.self);
    if (other !== undefined && !isSame(other, type)) {
      throw new FileRejected(
        "ReadingType",
        "Two reading types of the file have one link and differ. Ask the sender for a feed whose links are unique.",
      );
    }
    return this.#register(this.#readingTypes, "t", [links.self], type);
  }

  /** What a block belongs to; or `undefined`, and then `waiting` is told of by the `take…` that brings the next part. */
  join(block: EntryLinks, waiting: Waiting): Joined | undefined {
    const meterReading = this.#find(
      this.#meterReadings,
      "m",
      [block.up, block.self, above(block, "IntervalBlock")],
      waiting,
    );
    if (meterReading === undefined) return undefined;
    const type = this.#find(this.#readingTypes, "t", meterReading.related, waiting);
    if (type === undefined) return undefined;
    const point = this.#find(
      this.#usagePoints,
      "p",
      [meterReading.up, meterReading.self, above(meterReading, "MeterReading")],
      waiting,
    );
    return point === undefined ? undefined : { type, point };
  }

  #register<Node>(nodes: Map<string, Node>, kind: string, paths: readonly string[], node: Node): Waiting[] {
    const woken: Waiting[] = [];
    for (const path of paths) {
      if (path === "" || nodes.has(path)) continue;
      this.#spend(path.length);
      nodes.set(path, node);
      const waiting = this.#waiting.get(kind + path);
      if (waiting === undefined) continue;
      this.#waiting.delete(kind + path);
      this.#spend(-waiting.length * (path.length + WAITING_COST));
      for (const one of waiting) woken.push(one);
    }
    return woken;
  }

  #find<Node>(
    nodes: Map<string, Node>,
    kind: string,
    paths: readonly string[],
    waiting: Waiting,
  ): Node | undefined {
    for (const path of paths) {
      const node = path === "" ? undefined : nodes.get(path);
      if (node !== undefined) return node;
    }
    for (const path of new Set(paths)) {
      if (path === "") continue;
      this.#spend(path.length + WAITING_COST);
      const list = this.#waiting.get(kind + path);
      if (list === undefined) this.#waiting.set(kind + path, [waiting]);
      else list.push(waiting);
    }
    return undefined;
  }

  #spend(characters: number): void {
    this.#characters += characters;
    if (this.#characters > MOST_CHARACTERS) {
      throw new FileRejected(
        "link",
        `The links and titles of the file have more than ${MOST_CHARACTERS} characters. Drop it in parts.`,
      );
    }
  }
}

function leadsTo(collection: string): (path: string) => boolean {
  return (path) => path.split("/").includes(collection);
}

/** The path of what holds a collection: `…/MeterReading/1/IntervalBlock/7` is a block of `…/MeterReading/1`. */
function above({ up, self }: EntryLinks, collection: string): string {
  const path = up === "" ? self : up;
  const at = `${path}/`.lastIndexOf(`/${collection}/`);
  return at < 0 ? "" : path.slice(0, at);
}

function isSame(one: ReadingType, other: ReadingType): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name) === value);
}
