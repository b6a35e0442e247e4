// Hub calls onDisconnection once for every client, however it ends. API-639, API-640.
import assert from "node:assert/strict";
import { Refused } from "../../src/media/refused.ts";
import type { LineSettings } from "../support/lossy_link.ts";
import { type NetClient, Network, numberedFrame, play, publish } from "./network.ts";

/** Drops every later datagram from and to the client. */
function cut({ link }: Network, { address: { hostname } }: NetClient): void {
  link.tap = (_datagram, from, to) => from.hostname !== hostname && to.hostname !== hostname;
}

const SILENCE = "no packet has come for 2 minutes, and no keep-alive was answered";
const UNDELIVERED = "a message could not be delivered";

interface End {
  /** Reason passed to `onFailed`; absent if `onFailed` is not called. */
  readonly failure?: string;
  /** Latest and earliest time in ms until the client is removed. */
  readonly within: number;
  readonly after?: number;
  end(network: Network, client: NetClient): void;
}

const ends: Record<string, End> = {
  "closes its session": { within: 1000, end: (_, { session }) => session!.close() },
  "closes its session twice": {
    within: 1000,
    end: (_, { session }) => (session!.close(), session!.close()),
  },
  "ends its control flow": { within: 5000, end: (_, { control }) => control!.close() },
  "aborts its session with one packet": { within: 1000, end: (_, { session }) => session!.abort() },
  "closes its session while every packet is lost": {
    failure: SILENCE,
    after: 115_000,
    within: 130_000,
    end(network, client) {
      cut(network, client);
      client.session!.close();
    },
  },
  "stops sending": { failure: SILENCE, after: 115_000, within: 130_000, end: cut },
  "stops sending while a message is sent to it": {
    failure: UNDELIVERED,
    after: 50_000,
    within: 80_000,
    end(network, client) {
      cut(network, client);
      for (const { connection } of network.hub.clients.values()) {
        connection.writer.message("hello", new Uint8Array(5000));
      }
    },
  },
  "loses its main writer, which the script closes twice": {
    failure: "the main writer was closed",
    within: 3000,
    end({ hub }) {
      for (const { connection } of hub.clients.values()) {
        connection.writer.close();
        connection.writer.close();
      }
    },
  },
  "closes its session after the script closed its main writer": {
    within: 3000,
    end(network, { session }) {
      for (const { connection } of network.hub.clients.values()) connection.writer.close();
      session!.close();
      network.link.run({ until: network.link.now + 1000 }); // before the next tick
    },
  },
  "the script disconnects": {
    within: 1000,
    end({ hub }) {
      for (const { connection } of hub.clients.values()) connection.close();
    },
  },
  "is banned": {
    failure: "its address is blacklisted",
    within: 3000,
    end: ({ hub }, { address }) => hub.ban(address.hostname),
  },
  "is connected when the server stops": { within: 1000, end: ({ endpoint }) => endpoint.close() },
};

/** Options by which a publisher's name is free only at the end of its session. */
const NAMES = { publisherTimeout: 0, takeOver: "off" } as const;

const lines: Record<string, LineSettings> = {
  "": { delay: [20, 20] },
  ", over a line that loses and reorders packets": { loss: 0.1, delay: [10, 120], duplicate: 0.1 },
};

for (const [name, { failure, within, after = 0, end }] of Object.entries(ends)) {
  for (const [where, line] of Object.entries(lines)) {
    Deno.test(`Hub calls onDisconnection once for a client that ${name}${where}`, () => {
      for (const isBusy of [false, true]) {
        const network = new Network({ seed: 5 }, {}, { names: () => NAMES });
        const client = network.connect("live", line);
        if (isBusy) {
          const flow = client.stream();
          flow.write(publish("own"));
          client.stream().write(play("own"));
          network.pass(3000);
          flow.write(numberedFrame("video", 0, [0x17, 1, 0, 0, 0], 0, 100));
        }
        network.pass(5000);
        assert.equal(network.hub.clients.size, 1);
        const { events } = network.application;
        const began = network.link.now;
        end(network, client);
        const isOver = () => network.hub.clients.size === 0;
        while (!isOver() && network.link.now < began + within) network.pass(100);
        assert.ok(isOver(), `not within ${within} ms`);
        assert.ok(network.link.now >= began + after, `after ${network.link.now - began} ms`);
        network.pass(400_000); // nothing of it comes again
        const failed = events.filter((event) => event.startsWith("onFailed"));
        assert.deepEqual(failed, failure ? [`onFailed ${failure}`] : []);
        assert.equal(events.filter((event) => event === "onDisconnection").length, 1);
        const last = events.filter((event) => !event.startsWith("onManage")).at(-1);
        assert.equal(last, "onDisconnection");
        assert.equal(network.server.size, 0);
      }
    });
  }
}

Deno.test("Hub calls each event of a client's end once even if every one throws", () => {
  const error = () => {
    throw new Error("a mistake");
  };
  const network = new Network({ seed: 6 }, { failed: error, unpublish: error, disconnect: error });
  const client = network.connect("live", { delay: [20, 20] });
  client.stream().write(publish("own"));
  network.pass(3000);
  cut(network, client);
  for (let i = 0; i < 200; i++) {
    try {
      network.pass(1000);
    } catch (thrown) {
      assert.equal((thrown as Error).message, "a mistake");
    }
  }
  const count = (name: string) =>
    network.application.events.filter((event) => event.startsWith(name)).length;
  assert.deepEqual(["onFailed", "onUnpublish", "onDisconnection"].map(count), [1, 1, 1]);
});

Deno.test("Hub calls neither onFailed nor onDisconnection for a refused client", () => {
  const refuse = () => {
    throw new Refused("not you");
  };
  const network = new Network({ seed: 7 }, { connect: refuse });
  network.connect("live", { delay: [20, 20] });
  network.pass(400_000);
  assert.deepEqual(network.application.events.filter((event) => /^on[FD]/.test(event)), []);
  assert.equal(network.server.size, 0);
});
