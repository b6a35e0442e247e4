/// <reference lib="deno.worker" />
// The worker that holds the sockets of scripts. Its only Deno permissions are the lists under
// `[sandbox]`: it can reach no other address, even if a message says so.
import { type ToWorker, writeReply } from "./messages.ts";
import { closingOf } from "./worker/closing.ts";
import { connections, WorkerConnection } from "./worker/connection.ts";
import { datagrams, WorkerDatagramSocket } from "./worker/datagrams.ts";
import { listeners, WorkerListener } from "./worker/listener.ts";
import { say, textOf } from "./worker/output.ts";

/** Opens a port that a script waits for, and answers. */
async function answer(
  reply: SharedArrayBuffer,
  name: string,
  open: () => { port: number },
): Promise<void> {
  const before = closingOf(name);
  if (before) await before; // otherwise synchronous: messages with data to send may follow
  try {
    writeReply(reply, open().port);
  } catch (error) {
    writeReply(reply, 0, textOf(error));
  }
}

function closeListener(id: number, reply: SharedArrayBuffer | undefined): void {
  const listener = listeners.get(id);
  listener?.end();
  const ended = listener?.ended ?? Promise.resolve();
  if (reply) ended.then(() => writeReply(reply, 0));
}

function handle(message: ToWorker): void {
  switch (message.op) {
    case "connect":
      new WorkerConnection(message.id).connect(message.hostname, message.port, message.timeout);
      break;
    case "write":
      connections.get(message.id)?.write(message.bytes);
      break;
    case "credit":
      connections.get(message.id)?.credit(message.bytes);
      datagrams.get(message.id)?.credit(message.bytes);
      break;
    case "close":
      connections.get(message.id)?.leave();
      closeListener(message.id, message.reply);
      datagrams.get(message.id)?.end();
      break;
    case "listen": {
      const { id, hostnames, port, rate } = message;
      answer(message.reply, `tcp ${port}`, () => new WorkerListener(id, hostnames, port, rate));
      break;
    }
    case "bind": {
      const { id, hostname, port, ipv6Only } = message;
      answer(
        message.reply,
        `udp ${port}`,
        () => new WorkerDatagramSocket(id, hostname, port, ipv6Only),
      );
      break;
    }
    case "send":
      datagrams.get(message.id)?.send(message.bytes, message.hostname, message.port);
      break;
  }
}

self.onmessage = ({ data }: MessageEvent<ToWorker[]>) => {
  for (const message of data) handle(message);
};
say({ ev: "ready" });
