// Steps of clients before a measurement.
import { encodeAmf0 } from "../../src/amf/mod.ts";
import type { Generator } from "../load/generator.ts";
import type { LeanClient } from "../load/lean_client.ts";

/** Clients that connect at the same time. */
const AT_ONCE = 64;
/** Time (ms) for an answer, or for all to connect besides 20 ms for each client. */
const ANSWER_TIMEOUT = 30_000;

/**
 * Opens sessions and connects.
 * @param atOnce maximum number of clients that connect at the same time
 * @param rate maximum number of clients to start a second
 * @param took receives for each client the time (ms) from its first packet to the answer of connect
 * @throws {Error} if one of them fails
 */
export async function connectAll(
  generator: Generator,
  clients: LeanClient[],
  app: string,
  { atOnce = AT_ONCE, rate = Infinity, took = (_milliseconds: number): void => {} } = {},
): Promise<void> {
  const { url } = generator.options;
  let started = 0;
  let connected = 0;
  let failed = "";
  const answered = new Set<LeanClient>();
  const start = performance.now();
  const next = () => {
    const client = clients[started];
    const allowed = rate === Infinity || started < (performance.now() - start) / 1000 * rate;
    if (!client || !allowed || started - connected >= atOnce) return false;
    started++;
    const begin = generator.now = performance.now();
    client.onOpen = () =>
      client.connect(app, url, (error, values) => {
        if (error) failed = JSON.stringify(values.readValue());
        connected++;
        answered.add(client);
        took(generator.now - begin);
        next();
      });
    client.onClose = () => failed ||= "the server has closed a session";
    client.open();
    return true;
  };
  const until = performance.now() + ANSWER_TIMEOUT + clients.length * 20;
  const done = await generator.run(() => {
    while (next());
    return failed !== "" || connected >= clients.length;
  }, until);
  for (const client of clients) client.onClose = () => {};
  if (failed) throw new Error(`Cannot connect: ${failed}`);
  if (!done) {
    const states = new Set(
      clients.filter((client) => !answered.has(client)).map(({ state }) => state),
    );
    throw new Error(
      `${connected} of ${clients.length} clients connected in time; the others: ${[...states]}`,
    );
  }
}

/** @returns the id of the message stream */
export async function createStream(generator: Generator, client: LeanClient): Promise<number> {
  let id = 0;
  client.call("createStream", encodeAmf0(null), (_failed, values) => {
    id = Number(values.readValue());
  });
  if (!await generator.run(() => id > 0, performance.now() + ANSWER_TIMEOUT)) {
    throw new Error("The server does not answer createStream");
  }
  return id;
}
