import assert from "node:assert/strict";
import { makePair, METADATA, open } from "../../support/pair.ts";

Deno.test("Session sends keep-alives at the interval set in ms", () => {
  const pair = makePair({ seed: 1, delay: [20, 20] });
  open(pair);
  const { clientSession, serverSession, link } = pair;
  clientSession!.openFlow(METADATA).write(new Uint8Array(10)); // or it would be closed as idle
  clientSession!.keepAlive = 15_000;
  serverSession!.keepAlive = 1e9;
  link.run({ until: link.now + 1000 });
  const before = serverSession!.packetsIn;
  link.run({ until: link.now + 150_000 });
  const pings = serverSession!.packetsIn - before;
  assert.ok(pings >= 9 && pings <= 10, `${pings} packets in 150 s`);
  clientSession!.keepAlive = 60_000;
  const then = serverSession!.packetsIn;
  link.run({ until: link.now + 110_000 });
  assert.ok(serverSession!.packetsIn - then <= 2);
  assert.equal(clientSession!.state, "open");
});
