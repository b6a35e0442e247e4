import assert from "node:assert/strict";
import { addressText, hostText, parseAddress, sameAddress } from "../../src/common/address.ts";

Deno.test("parseAddress() reads the address that addressText() wrote", () => {
  for (
    const [hostname, port] of [["192.0.2.1", 1935], ["2001:db8::1", 1], ["::1", 65_535]] as const
  ) {
    assert.deepEqual(parseAddress(addressText({ hostname, port })), { hostname, port });
  }
  assert.equal(addressText({ hostname: "2001:db8::1", port: 80 }), "[2001:db8::1]:80");
  assert.equal(hostText("2001:db8::1"), "[2001:db8::1]");
  assert.equal(hostText("example.org"), "example.org");
});

Deno.test("parseAddress() returns canonical addresses, and undefined for any other text", () => {
  assert.deepEqual(parseAddress(" [::FFFF:192.0.2.1]:80 "), { hostname: "192.0.2.1", port: 80 });
  for (
    const text of [
      "192.0.2.1",
      "192.0.2.1:0",
      "192.0.2.1:65536",
      "::1:80",
      "example.org:80",
      "[1.2.3.4:80",
    ]
  ) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

Deno.test("sameAddress() compares host and port", () => {
  const one = { hostname: "192.0.2.1", port: 80 };
  assert.equal(sameAddress(one, { ...one }), true);
  assert.equal(sameAddress(one, { ...one, port: 81 }), false);
  assert.equal(sameAddress(one, { ...one, hostname: "192.0.2.2" }), false);
});
