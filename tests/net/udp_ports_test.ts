import assert from "node:assert/strict";
import { UdpPorts } from "../../src/net/sandbox/udp_ports.ts";

Deno.test("UdpPorts reports a port as taken at the same address, and at every address if a socket uses all addresses", () => {
  const ports = new UdpPorts();
  ports.take("127.0.0.1", 5000);
  assert.equal(ports.taken("127.0.0.1", 5000), true);
  assert.equal(ports.taken("0.0.0.0", 5000), true);
  assert.equal(ports.taken("127.0.0.2", 5000), false);
  assert.equal(ports.taken("127.0.0.1", 5001), false);
  ports.release("127.0.0.1", 5000);
  ports.take("::", 5000);
  assert.equal(ports.taken("127.0.0.1", 5000), true);
  ports.release("::", 5000);
  assert.equal(ports.taken("::", 5000), false);
});
