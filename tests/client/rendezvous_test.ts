// Two clients find each other on a simulated network, also behind NATs.
import assert from "node:assert/strict";
import type { DirectStream } from "../../src/client/direct.ts";
import type { Address } from "../../src/common/address.ts";
import { Nat } from "../support/internet.ts";
import {
  type ClientPlace,
  Internet,
  SimulatedClient,
  SimulatedServer,
} from "../support/simulated_peers.ts";

const SERVER = [{ hostname: "192.0.2.1", port: 1935 }, { hostname: "2001:db8::1", port: 1935 }];
const at = (hostname: string, port = 5000): Address => ({ hostname, port });

interface Scene {
  readonly internet: Internet;
  readonly server: SimulatedServer;
  readonly near: SimulatedClient;
  readonly far: SimulatedClient;
}

/** Two clients that have connected to one server. */
async function scene(near: ClientPlace, far: ClientPlace, seed = 1, loss = 0): Promise<Scene> {
  const internet = new Internet({ seed, delay: [10, 40], loss });
  const server = new SimulatedServer(internet, SERVER);
  const clients = [near, far].map((place) => new SimulatedClient(internet, place));
  for (const client of clients) client.connect(server);
  await internet.run(60_000, () => clients.every(({ connected }) => connected));
  await internet.run(5000); // the server knows the addresses of both
  return { internet, server, near: clients[0], far: clients[1] };
}

/** One client plays the other's publication; returns the received frames and the duration of the introduction. */
async function plays({ internet, near, far }: Scene, patience = 30_000) {
  const publication = near.connection.publishDirect("cam");
  const begun = internet.now;
  let stream: DirectStream | undefined;
  let failure: Error | undefined;
  far.connection.openDirect(near.connection.nearId, 600_000).then(
    (opened) => stream = opened,
    (error) => failure = error,
  );
  await internet.run(patience, () => !!stream || !!failure);
  if (failure) throw failure;
  const took = internet.now - begun;
  const times: number[] = [];
  stream!.handler = { onVideo: (time) => times.push(time) };
  let playing = false;
  stream!.play("cam").then(() => playing = true);
  await internet.run(10_000, () => playing);
  for (let time = 0; time < 10; time++) publication.sendVideo(time, new Uint8Array(2000));
  await internet.run(20_000, () => times.length === 10);
  assert.deepEqual(times, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  return { took, stream: stream!, address: stream!.peer.session.address };
}

Deno.test("Two clients with public addresses connect directly within 300 ms", async () => {
  const all = await scene({ addresses: [at("198.51.100.7")] }, { addresses: [at("203.0.113.9")] });
  const { took, address } = await plays(all);
  assert.ok(took < 300, `${took} ms`);
  assert.deepEqual(address, at("198.51.100.7"));
});

Deno.test("Two clients behind different address-restricted NATs connect directly", async () => {
  const nats = [new Nat("198.51.100.7", "192.168.1."), new Nat("203.0.113.9", "192.168.1.")];
  for (let seed = 1; seed <= 20; seed++) {
    const all = await scene(
      { addresses: [at("192.168.1.5")], nat: nats[0] },
      { addresses: [at("192.168.1.9")], nat: nats[1] },
      seed,
      0.1,
    );
    const { address } = await plays(all);
    assert.equal(address.hostname, "198.51.100.7", `seed ${seed}`);
  }
});

Deno.test("Two clients behind the same NAT connect by their private addresses within 300 ms", async () => {
  const nat = new Nat("198.51.100.7", "192.168.1.");
  const all = await scene(
    { addresses: [at("192.168.1.5")], nat },
    { addresses: [at("192.168.1.9")], nat },
  );
  const { took, address } = await plays(all);
  assert.deepEqual(address, at("192.168.1.5"));
  assert.ok(took < 300, `${took} ms`);
  // Without their private addresses the clients cannot connect.
  const others = [{ addresses: [at("192.168.1.5")], nat, reported: [] }, {
    addresses: [at("192.168.1.9")],
    nat,
    reported: [],
  }];
  const mute = await scene(others[0], others[1], 2);
  await assert.rejects(plays(mute), /Cannot reach peer .*: no answer/);
});

Deno.test("Two clients connect by IPv6 although the server sees one of them at an IPv4 address", async () => {
  const both = [at("198.51.100.7"), at("2001:db8:7::7")];
  const six = [at("2001:db8:9::9")];
  const all = await scene({ addresses: both }, { addresses: six });
  assert.deepEqual((await plays(all)).address, at("2001:db8:7::7"));
  // In the other direction: the client with only IPv6 publishes.
  const turned = await scene({ addresses: six }, { addresses: both }, 2);
  assert.deepEqual((await plays(turned)).address, at("2001:db8:9::9"));
});

Deno.test("openDirect() rejects if one client has only IPv4 and the other only IPv6", async () => {
  const all = await scene({ addresses: [at("198.51.100.7")] }, {
    addresses: [at("2001:db8:9::9")],
  });
  await assert.rejects(plays(all), /Cannot reach peer .*: no answer/);
});

Deno.test("Two clients that open streams to each other at once share one session", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const { internet, near, far } = await scene(
      { addresses: [at("198.51.100.7")] },
      { addresses: [at("203.0.113.9")] },
      seed,
      0.05,
    );
    const sides = [[near, far], [far, near]] as const;
    for (const [own] of sides) own.connection.publishDirect("cam");
    const opened: DirectStream[] = [];
    let started = 0;
    for (const [own, other] of sides) {
      own.connection.openDirect(other.connection.nearId, 600_000).then(async (stream) => {
        opened.push(stream);
        await stream.play("cam");
        started++;
      });
      await internet.run((seed % 3) * 15);
    }
    await internet.run(60_000, () => started === 2);
    for (const [own] of sides) {
      assert.equal(own.peers.size, 1, `seed ${seed}`);
      const heard = [...own.endpoint.sessions()].filter((session) => session.heard);
      assert.equal(heard.length, 2, `seed ${seed}: with the server and the peer`);
    }
    // The session stays for the other stream when one is closed.
    opened[0].close();
    await internet.run(5000);
    assert.deepEqual(sides.map(([own]) => own.peers.size), [1, 1], `seed ${seed}`);
    assert.equal(opened[1].closed, false);
    opened[1].close();
    await internet.run(10_000);
    assert.deepEqual(sides.map(([own]) => own.peers.size), [0, 0], `seed ${seed}`);
  }
});

Deno.test("A client without publication and group refuses to be introduced", async () => {
  const { internet, near, far } = await scene(
    { addresses: [at("198.51.100.7")] },
    { addresses: [at("203.0.113.9")] },
  );
  let failure: Error | undefined;
  far.connection.openDirect(near.connection.nearId, 600_000).catch((error) => failure = error);
  await internet.run(30_000, () => failure !== undefined);
  assert.match(failure!.message, /no answer/);
  assert.ok(near.endpoint.counters.drops.peer! > 0);
  near.connection.joinGroup("G:1");
  far.connection.joinGroup("G:1");
  await internet.run(10_000, () => far.peers.size === 1 && near.peers.size === 1);
});

Deno.test("The server does not introduce a client that vanished 125 s ago", async () => {
  const all = await scene({ addresses: [at("198.51.100.7")] }, { addresses: [at("203.0.113.9")] });
  const { internet, server, near, far } = all;
  near.vanish();
  await internet.run(125_000);
  assert.equal(server.hub.clients.size, 1);
  const { hellos } = server.endpoint.counters;
  let failure: Error | undefined;
  far.connection.openDirect(near.connection.nearId, 600_000).catch((error) => failure = error);
  await internet.run(30_000, () => failure !== undefined);
  assert.equal(server.endpoint.counters.hellos, hellos, "no answer");
  // The server then passes on the addresses that the application returns.
  server.applications.addresses = ["203.0.113.77:1935"];
  failure = undefined;
  far.connection.openDirect(near.connection.nearId, 600_000).catch((error) => failure = error);
  await internet.run(30_000, () => failure !== undefined);
  assert.ok(server.endpoint.counters.hellos > hellos);
});
