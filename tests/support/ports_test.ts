import assert from "node:assert/strict";
import { freePort } from "./ports.ts";

Deno.test("freePort() returns ports that are free for UDP and TCP, and different in each test file", async () => {
  const ports = Array.from({ length: 50 }, freePort);
  assert.equal(new Set(ports).size, 50);
  const other: typeof import("./ports.ts") = await import(
    `${new URL("ports.ts", import.meta.url)}?other`
  );
  const others = Array.from({ length: 50 }, other.freePort);
  assert.ok(ports.every((port) => !others.includes(port)), "two files have a port in common");
  for (const port of [ports[0], others[0]]) {
    Deno.listen({ hostname: "0.0.0.0", port }).close();
    Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port }).close();
  }
});
