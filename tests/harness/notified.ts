import { join } from "node:path";
import { createNotify, type NotifyStage } from "../../notify/index.js";
import { createWeb, type WebStage } from "../../web/index.js";
import { startMailbox, type Mailbox } from "./mailbox.js";
import type { ConfigInput } from "../../schemas/config.js";
import type { World } from "./residents.js";
import { startStores, usageUtility, type TestStores } from "./stores.js";

/** A utility whose alerts go to a mailbox, with its pages. */
export interface Notified {
  readonly test: TestStores;
  readonly world: World;
  readonly mailbox: Mailbox;
  readonly notify: NotifyStage;
  readonly web: WebStage;
  close(): Promise<void>;
}

/**
 * @param now UTC milliseconds that the clock begins with
 * @param change of the utility
 */
export async function startNotified(
  name: string,
  now: number,
  change: Partial<ConfigInput["utilities"][number]> = {},
): Promise<Notified> {
  const test = await startStores(name, {
    now,
    config: (folder) => ({ utilities: [{ ...usageUtility(folder), ...change }] }),
  });
  const mailbox = await startMailbox(join(test.folder, "mailbox.jsonl"));
  const context = test.context();
  const config = { ...context.config, smtp: { host: "127.0.0.1", port: mailbox.port, secure: false } };
  const notify = await test.start(createNotify({ ...context, config }));
  const web = await test.start(createWeb({ ...context, config, stages: () => [notify] }));
  return {
    test,
    world: { config: test.settings.config, stores: test.stores, clock: test.clock },
    mailbox,
    notify,
    web,
    async close() {
      await test.close();
      await mailbox.close();
    },
  };
}
