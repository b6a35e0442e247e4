import assert from "node:assert/strict";
import { makePair, METADATA, numbered, numberOf, open } from "../support/pair.ts";

Deno.test("A client opens a session and the server hears its first message", () => {
  const pair = makePair({ seed: 1, delay: [50, 50] });
  open(pair);
  assert.ok(pair.clientSession && pair.serverSession);
  const flow = pair.clientSession.openFlow(METADATA);
  flow.write(numbered(1, 100));
  pair.link.run({ until: 1000 });
  assert.deepEqual(pair.atServer.messages.map(numberOf), [1]);
});
