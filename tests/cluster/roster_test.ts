import assert from "node:assert/strict";
import { findPeer, type Peer, Roster } from "../../src/cluster/roster.ts";
import { parseTargets } from "../../src/cluster/targets.ts";

const peer = (address: string, publicAddress: string, isTarget: boolean): Peer => ({
  address,
  publicAddress,
  isTarget,
  properties: new Map(),
  send: () => {},
});

Deno.test("CLU-010, CLU-011: parseTargets() reads properties, and skips blanks and empty entries", () => {
  const targets = parseTargets(
    " 192.0.2.7:1936?type=master&n=a+b%21 ;; [2001:db8::1]:1937;h.x:1?a ",
  );
  assert.deepEqual(
    targets.map(({ host, port, address, properties }) => ({
      host,
      port,
      address,
      properties: [...properties],
    })),
    [
      {
        host: "192.0.2.7",
        port: 1936,
        address: "192.0.2.7:1936",
        properties: [["type", "master"], ["n", "a b!"]],
      },
      { host: "2001:db8::1", port: 1937, address: "[2001:db8::1]:1937", properties: [] },
      { host: "h.x", port: 1, address: "h.x:1", properties: [["a", ""]] },
    ],
  );
});

Deno.test("parseTargets() refuses an invalid target and names it", () => {
  for (const text of ["host", "host:", ":1936", "host:0", "host:65536", "a b:1", "::1:1936"]) {
    assert.throws(() => parseTargets(`ok:1;${text}`), (error: Error) => {
      return error instanceof RangeError && error.message.includes(`"${text}"`);
    });
  }
});

Deno.test("API-501 to API-508: Roster lists servers in order of connection, and findPeer() finds them by index and address", () => {
  const roster = new Roster();
  const [a, b, c] = [
    peer("10.0.0.1:50001", "A.example:1935", false),
    peer("b.example:1936", "b.example:1935", true),
    peer("10.0.0.3:50003", "c.example:1935", false),
  ];
  for (const one of [a, b, c]) roster.add(one);
  assert.deepEqual(roster.all, [a, b, c]);
  assert.deepEqual(roster.initiators, [a, c]);
  assert.deepEqual(roster.targets, [b]);
  assert.equal(findPeer(roster.all, 3), c);
  assert.equal(findPeer(roster.initiators, 2), c);
  assert.equal(findPeer(roster.all, 0), undefined);
  assert.equal(findPeer(roster.all, 4), undefined);
  assert.equal(findPeer(roster.all, "a.example:1935"), a);
  assert.equal(findPeer(roster.all, "b.example:1936"), b);
  assert.equal(findPeer(roster.all, "nobody:1"), undefined);
  assert.equal(roster.remove(a), true);
  assert.equal(roster.remove(a), false);
  assert.deepEqual(roster.all, [b, c]);
});
