// Who gets in when more come to a listening socket than it takes.
import assert from "node:assert/strict";
import { AcceptRate } from "../../src/net/sandbox/accept_rate.ts";

/** How many of 1,000 from there are taken. */
const flood = (rate: AcceptRate, now: number, ip: (i: number) => string): number =>
  Array.from({ length: 1000 }, (_, i) => rate.takes(ip(i), now)).filter((taken) => taken).length;

Deno.test("An address that connects without end leaves room for others, in each second", () => {
  const rate = new AcceptRate(200);
  assert.equal(flood(rate, 5000, () => "::ffff:192.0.2.1"), 50);
  assert.equal(rate.takes("192.0.2.1", 5999), false, "however it is written");
  assert.ok(rate.takes("192.0.2.2", 5999));
  assert.equal(flood(rate, 5999, (i) => `198.51.100.${i % 200}`), 149, "200 in all");
  assert.ok(rate.takes("192.0.2.1", 6000));
});

Deno.test("A network of IPv6 is one address, whatever zeros are left out", () => {
  const rate = new AcceptRate(40);
  assert.equal(flood(rate, 0, (i) => `2001:db8:0:1:${i.toString(16)}::1`), 10);
  assert.equal(rate.takes("2001:db8:0:1::", 0), false);
  assert.equal(rate.takes("2001:db8:0:1:2:3:4:5", 0), false);
  assert.equal(rate.takes("2001:db8::1:0:0:0:1", 0), false);
  assert.ok(rate.takes("2001:db8::1:0:0:1", 0), "that is 2001:db8:0:0");
  assert.ok(rate.takes("2001:db8:0:2::1", 0));
});

Deno.test("Programs on this machine have all that there is, and no more", () => {
  for (const ip of ["127.0.0.1", "::ffff:127.0.0.1", "::1"]) {
    assert.equal(flood(new AcceptRate(40), 0, () => ip), 40);
  }
});
