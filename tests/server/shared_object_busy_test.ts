// A busy object of a real server, with clients of two doors: SO-088.
import assert from "node:assert/strict";
import { connect } from "../../clients/js/cumulus.js";
import { NetConnection } from "../../src/client/net_connection.ts";
import { until } from "../support/wait.ts";
import { startWeb } from "../web/support.ts";

const CLIENTS = 8; // of each door
const ROUNDS = 40;

/** A client of either library. */
interface Player {
  set(slot: string, value: number): void;
  send(handler: string, ...args: number[]): void;
  readonly data: ReadonlyMap<string, unknown>;
  readonly heard: string[];
  close(): void;
}

async function overRtmfp(url: string): Promise<Player> {
  const connection = await NetConnection.connect(url);
  const heard: string[] = [];
  const object = connection.sharedObject("busy", {
    handler: { onCall: (handler, args) => heard.push(`${handler} ${args.join(" ")}`) },
  });
  await object.ready;
  return {
    set: (slot, value) => object.set(slot, value),
    send: (handler, ...args) => object.send(handler, ...args),
    data: object.data,
    heard,
    close: () => void connection.close(),
  };
}

async function overWebSocket(url: string): Promise<Player> {
  const connection = await connect(url);
  const object = await connection.sharedObject("busy");
  const heard: string[] = [];
  object.client = { hit: (...args: number[]) => heard.push(`hit ${args.join(" ")}`) };
  return {
    set: (slot, value) => object.set(slot, value),
    send: (handler, ...args) => object.send(handler, ...args),
    get data() {
      return object.data;
    },
    heard,
    close: () => connection.close(),
  };
}

Deno.test("Clients of RTMFP and RTWebSocket get the same slots of a busy object, and all calls in one order", async () => {
  const { server, ws } = await startWeb({ "": "", "/game": "" });
  const players: Player[] = [];
  try {
    for (let i = 0; i < CLIENTS; i++) {
      players.push(await overRtmfp(server.url("/game")), await overWebSocket(`${ws}/game`));
    }
    for (let round = 1; round <= ROUNDS; round++) {
      for (const [i, player] of players.entries()) {
        player.set(`own ${i}`, round);
        player.set("common", i * 1_000 + round);
        if (round % 4 === 0) player.send("hit", i, round);
      }
      await new Promise((resolve) => setTimeout(resolve, 1)); // others may speak
    }
    const calls = players.length * ROUNDS / 4;
    const own = (player: Player) => players.every((_, i) => player.data.get(`own ${i}`) === ROUNDS);
    await until(
      () => players.every((player) => player.heard.length === calls && own(player)),
      "all changes and calls",
    );
    const [first, ...others] = players;
    for (const other of others) {
      assert.deepEqual(other.heard, first.heard);
    }
    const common = () => new Set(players.map(({ data }) => data.get("common"))).size;
    await until(() => common() === 1, "one value of the slot that all have set");
    assert.equal(first.data.size, players.length + 1);
  } finally {
    for (const player of players) player.close();
    await server.stop();
  }
});
