import type { LogBatch } from "./log.js";

interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: T }
    | { success: false; error: { issues: readonly { path: PropertyKey[]; message: string }[] } };
}

/**
 * A message of a topic.
 * @throws Error where it is not one this version knows: the stage stops there rather than pass over it
 */
export function parseMessage<T>(schema: Schema<T>, value: Uint8Array, batch: LogBatch, offset: number): T {
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8");
  const where = `Topic ${batch.topic}, partition ${batch.partition}, offset ${offset}`;
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    // The parser's own error quotes the message.
    throw new Error(
      `${where}: not JSON. Another program wrote it: nothing is read past it until it is gone.`,
    );
  }
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(
    `${where}: not a message this version knows (${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? ""}). ` +
      `A newer version wrote it: upgrade this stage.`,
  );
}
