import { RtwsConnection } from "../../src/rtws/rtws_connection.ts";
import type { SendFlow } from "../../src/rtws/send_flow.ts";
import { RtwsSession } from "../../src/rtws/session.ts";
import { flowMessage, type Message, readMessage } from "../../src/tc/format/messages.ts";
import { readTcMetadata, writeTcMetadata } from "../../src/tc/format/metadata.ts";
import { type Steps, world } from "../media/fakes.ts";
import { testDoor } from "../doors/contract.ts";
import type { DoorClient, Heard, TestedDoor } from "../doors/door.ts";

const DELAY = 5;
const TICK = 2000;

/** WebSocket messages in flight, oldest first; `undefined` is the end of the WebSocket. */
class Way {
  readonly messages: { at: number; bytes: Uint8Array | undefined }[] = [];
  closed = false;

  constructor(readonly clock: { readonly now: number }) {}

  readonly writable = true;
  wake(): void {}

  send(bytes: Uint8Array): void {
    if (!this.closed) this.messages.push({ at: this.clock.now + DELAY, bytes });
  }

  close(): void {
    if (this.closed) return;
    this.messages.push({ at: this.clock.now + DELAY, bytes: undefined });
    this.closed = true;
  }

  /** The messages received so far. */
  *arrived(): Generator<Uint8Array | undefined> {
    while (this.messages.length > 0 && this.messages[0].at <= this.clock.now) {
      yield this.messages.shift()!.bytes;
    }
  }
}

/** A client at one end of a WebSocket, and the server's session at the other. */
class RtwsClient implements DoorClient {
  readonly heard: Heard[] = [];
  closed = false;
  readonly #up: Way;
  readonly #down: Way;
  readonly #far: RtwsSession;
  readonly #near: RtwsSession;
  readonly #flows = new Map<number, SendFlow>();

  constructor(readonly clock: { readonly now: number }, hub: TestedDoor["hub"], id: number) {
    this.#up = new Way(clock);
    this.#down = new Way(clock);
    this.#near = new RtwsSession(this.#up, clock.now);
    this.#far = new RtwsSession(this.#down, clock.now);
    const client = {
      rawId: new Uint8Array(32).fill(id),
      address: `192.0.2.1:${4000 + id}`,
      hostname: "192.0.2.1",
    };
    new RtwsConnection(this.#far, hub, client, () => this.#down.close());
    this.#near.handler = {
      onFlow: (flow) => ({
        onMessage: (bytes) => {
          const message = readMessage(bytes)!;
          const { stream } = readTcMetadata(flow.metadata)!;
          this.heard.push({ stream, message: { ...message, payload: message.payload.slice() } });
        },
      }),
      onClose() {},
    };
    this.#near.start(clock.now);
    this.#far.start(clock.now);
  }

  send(stream: number, message: Message): void {
    let flow = this.#flows.get(stream);
    if (!flow) {
      flow = this.#near.openFlow(writeTcMetadata(stream));
      this.#flows.set(stream, flow);
    }
    flow.write(flowMessage(message));
  }

  close(): void {
    this.#near.close();
    this.#up.close();
  }

  step(): void {
    for (const bytes of this.#up.arrived()) {
      if (bytes) this.#far.receive(bytes, this.clock.now);
      else this.#far.close();
    }
    for (const bytes of this.#down.arrived()) {
      if (bytes) this.#near.receive(bytes, this.clock.now);
      else this.closed = true;
    }
    this.#near.flush(this.clock.now);
    this.#far.flush(this.clock.now);
  }
}

function serve(steps?: Steps): TestedDoor {
  const { hub, application } = world(steps);
  hub.now = 1000;
  const clients: RtwsClient[] = [];
  let tickAt = hub.now + TICK;
  return {
    hub,
    application,
    open: () => {
      const client = new RtwsClient(hub, hub, clients.length + 1);
      clients.push(client);
      return client;
    },
    pass: (milliseconds) => {
      const end = hub.now + milliseconds;
      for (; hub.now < end; hub.now++) {
        for (const client of clients) client.step();
        if (hub.now < tickAt) continue;
        tickAt += TICK;
        hub.manage();
      }
    },
  };
}

testDoor({ protocol: "rtws", serve });
