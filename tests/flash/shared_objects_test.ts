// Three clients that share an object over bad lines, and reconnect, end with the same slots.
import assert from "node:assert/strict";
import { AmfReader, type AmfValue, encodeAmf } from "../../src/amf/mod.ts";
import { SharedObject } from "../../src/client/shared_object.ts";
import type { Client } from "../../src/media/client.ts";
import {
  changesOf,
  type SharedObjectUpdate,
  type SharedObjectUser,
} from "../../src/media/shared_object_queue.ts";
import { type Message, MessageType, writeMessage } from "../../src/tc/format/messages.ts";
import { readSharedObject } from "../../src/tc/format/shared_object.ts";
import { seeded } from "../support/random.ts";
import { type NetClient, Network } from "./network.ts";

const NAME = "board";
const SEEDS = 20;
const STEPS = 120;

/** A user on the server that records all calls in order. */
class Witness implements SharedObjectUser {
  readonly client;
  readonly said: number[] = [];

  constructor(network: Network) {
    const { application } = network;
    this.client = { path: "/live", application, state: "connected" } as unknown as Client;
    network.hub.sharedObjects.use(this, NAME, false);
  }

  update(update: SharedObjectUpdate): void {
    for (const change of changesOf(update)) {
      if (change.type === "sendMessage") this.said.push(argumentOf(change.values));
    }
  }
}

function argumentOf(values: Uint8Array): number {
  const from = new AmfReader(values);
  from.readValue();
  return from.readValue() as number;
}

/** A client that reconnects after its line was cut. */
class Person {
  client: NetClient;
  object: SharedObject | undefined;
  /** Whether the client got the slots; programs change slots only after that. */
  synced = false;
  /** Calls received since the client's last use of the object. */
  heard: number[] = [];

  constructor(readonly network: Network, readonly cut: Set<string>) {
    this.client = this.#connect();
  }

  use(): void {
    if (this.object) return;
    this.synced = false;
    this.heard = [];
    const host = {
      encoding: 3 as const,
      sendShared: ({ type, payload }: Message) =>
        this.client.control!.write(writeMessage(type, 0, payload)),
      forgetShared: () => {},
    };
    const object = this.object = new SharedObject(host, NAME, false, {
      onSync: () => this.synced ||= this.object === object,
      onCall: (_, [number]: AmfValue[]) => void this.heard.push(number as number),
    });
  }

  leave(): void {
    this.object?.close();
    this.object = undefined;
    this.synced = false;
  }

  /** Cuts the line without a packet; the client reconnects over another line. */
  vanish(): void {
    this.cut.add(this.client.address.hostname);
    this.object = undefined;
    this.synced = false;
    this.client = this.#connect();
  }

  #connect(): NetClient {
    const client = this.network.connect();
    client.onMessage = ({ type, payload }) => {
      if (type !== MessageType.sharedObjectAmf3 || client !== this.client) return;
      this.object?.receive(readSharedObject(payload, true, Infinity));
    };
    return client;
  }
}

/** Whether `part` is a contiguous part of `whole`. */
function isPart(part: number[], whole: number[]): boolean {
  if (part.length === 0) return true;
  const at = whole.indexOf(part[0]);
  return at >= 0 && part.every((number, i) => whole[at + i] === number);
}

function play(seed: number): { collected: number; vanished: number } {
  const next = seeded(seed);
  const random = (below: number) => Math.floor(next() * below);
  const network = new Network({
    seed,
    loss: random(5) / 20,
    delay: [5, 5 + random(300)],
    duplicate: 0.05,
    corrupt: 0.02,
  });
  const cut = new Set<string>();
  network.link.tap = (_, from, to) => !cut.has(from.hostname) && !cut.has(to.hostname);
  const witness = new Witness(network);
  const { sharedObjects } = network.hub;
  const object = sharedObjects.usedBy(witness, NAME, false)!;
  const people = [0, 1, 2].map(() => new Person(network, cut));
  for (const person of people) person.use();
  let said = 0;
  let collected = 0;
  let vanished = 0;
  const slot = () => "abcde"[random(5)];
  for (let step = 0; step < STEPS; step++) {
    const person = people[random(3)];
    const shared = person.synced ? person.object! : undefined;
    const doSomething = () => {
      const what = random(3);
      if (what === 0) shared!.set(slot(), random(3) === 0 ? [random(9), "x"] : random(4));
      else if (what === 1) shared!.delete(slot());
      else shared!.send("say", ++said);
    };
    const action = random(20);
    if (action === 0) person.leave();
    else if (action <= 2) person.use();
    else if (action === 3 && vanished < 3) {
      vanished++;
      person.vanish();
    } else if (action <= 5) {
      const value = random(3) === 0 ? undefined : encodeAmf(random(4));
      sharedObjects.change(object, slot(), value);
    } else if (action === 6) sharedObjects.send(object, encodeSay(++said));
    else if (shared && action === 7) { for (let i = 0; i < 50; i++) doSomething(); }
    else if (shared && action <= 9) shared.together(() => [1, 2, 3].forEach(doSomething));
    else if (shared) doSomething();
    network.link.run({
      until: network.link.now + random(150),
      done: () => {
        if (sharedObjects.deadline < Infinity) collected++;
        return false;
      },
    });
    network.hub.now = network.link.now;
  }
  for (const person of people) person.use();
  network.pass(400_000); // until the server has dropped vanished clients
  const there = Object.fromEntries(
    [...object.slots()].map((name) => [name, new AmfReader(object.get(name)!).readValue()]),
  );
  const where = `seed ${seed}`;
  assert.equal(object.users.size, people.length + 1, where);
  for (const { object, synced, heard } of people) {
    assert.ok(synced, where);
    assert.deepEqual(Object.fromEntries(object!.data), there, where);
    assert.ok(isPart(heard, witness.said), `${where}: ${heard} of ${witness.said}`);
  }
  return { collected, vanished };
}

function encodeSay(number: number): Uint8Array {
  return Uint8Array.of(2, 0, 3, ...new TextEncoder().encode("say"), ...encodeAmf(number));
}

Deno.test("Three RTMFP clients that share an object over bad lines and reconnect end with the same slots", () => {
  let collected = 0;
  let vanished = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const played = play(seed);
    collected += played.collected;
    vanished += played.vanished;
  }
  assert.ok(collected > 0, "changes were collected");
  assert.ok(vanished > SEEDS, `${vanished} vanished`);
});

Deno.test("A client's command arrives after its earlier changes of a busy object (SO-005, SO-088)", () => {
  const network = new Network({ seed: 1, delay: [5, 5] });
  const { sharedObjects, clients } = network.hub;
  const person = new Person(network, new Set());
  person.use();
  for (let i = 0; i < 70; i++) new Witness(network);
  const object = sharedObjects.find("/live", NAME, false)!;
  network.run(() => person.synced, 1_000);
  network.pass(100);
  const came: string[] = [];
  person.client.onMessage = ({ type, payload }) => {
    if (type !== MessageType.sharedObjectAmf3) return void came.push("command");
    came.push(...readSharedObject(payload, true, Infinity).events.map(({ type }) => type));
  };
  network.hub.now = network.link.now;
  for (const slot of ["a", "b", "c"]) sharedObjects.change(object, slot, encodeAmf(1));
  [...clients.values()][0].writer.message("hello", encodeAmf(1));
  sharedObjects.change(object, "d", encodeAmf(1));
  network.run(() => came.length === 5, 5_000);
  assert.deepEqual(came, ["change", "change", "change", "command", "change"]);
});
