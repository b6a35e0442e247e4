/// <reference lib="deno.worker" />
// Sends messages of the worker to the thread of scripts; formats addresses and errors for them.
import type { Address } from "../../../common/address.ts";
import { unmapped } from "../../../common/ip.ts";
import type { FromWorker } from "../messages.ts";

let outbox: FromWorker[] = [];
let buffers: Transferable[] = [];

/** Sends a message; all messages of a turn go in one post. */
export function say(message: FromWorker, buffer?: Transferable): void {
  if (outbox.length === 0) queueMicrotask(flush);
  outbox.push(message);
  if (buffer) buffers.push(buffer);
}

function flush(): void {
  const [messages, transfer] = [outbox, buffers];
  outbox = [];
  buffers = [];
  self.postMessage(messages, transfer);
}

/** Text of an error without the system's error number and Deno's advice. */
export const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/ \(os error \d+\)$/, "")
    .replace(/, run again with.*$/, "");

/** An address as scripts see it; an IPv4 address mapped into IPv6 becomes IPv4. */
export const addressOf = ({ hostname, port }: Deno.NetAddr): Address => ({
  hostname: unmapped(hostname),
  port,
});

/** Whether an address is IPv4, also if mapped into IPv6 by a socket of both families. */
export const isIpv4 = ({ hostname }: Deno.NetAddr): boolean => /^(::ffff:)?[\d.]+$/.test(hostname);
