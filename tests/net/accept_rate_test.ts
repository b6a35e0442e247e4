// The rate at which a listening socket accepts connections.
import assert from "node:assert/strict";
import { AcceptRate } from "../../src/net/sandbox/accept_rate.ts";

/** @returns how many of 1,000 connections `rate` accepts */
const flood = (rate: AcceptRate, now: number, ip: (i: number) => string): number =>
  Array.from({ length: 1000 }, (_, i) => rate.takes(ip(i), now)).filter((taken) => taken).length;

Deno.test("AcceptRate accepts a quarter of its connections a second from one address, and the others from other addresses", () => {
  const rate = new AcceptRate(200);
  assert.equal(flood(rate, 5000, () => "::ffff:192.0.2.1"), 50);
  assert.equal(rate.takes("192.0.2.1", 5999), false, "another notation of the address");
  assert.ok(rate.takes("192.0.2.2", 5999));
  assert.equal(
    flood(rate, 5999, (i) => `198.51.100.${i % 200}`),
    149,
    "200 connections a second of all addresses",
  );
  assert.ok(rate.takes("192.0.2.1", 6000));
});

Deno.test("AcceptRate counts an IPv6 /64 network as one address, in every notation", () => {
  const rate = new AcceptRate(40);
  assert.equal(flood(rate, 0, (i) => `2001:db8:0:1:${i.toString(16)}::1`), 10);
  assert.equal(rate.takes("2001:db8:0:1::", 0), false);
  assert.equal(rate.takes("2001:db8:0:1:2:3:4:5", 0), false);
  assert.equal(rate.takes("2001:db8::1:0:0:0:1", 0), false);
  assert.ok(rate.takes("2001:db8::1:0:0:1", 0), "in the network 2001:db8:0:0");
  assert.ok(rate.takes("2001:db8:0:2::1", 0));
});

Deno.test("AcceptRate accepts its whole rate from a loopback address, and no more", () => {
  for (const ip of ["127.0.0.1", "::ffff:127.0.0.1", "::1"]) {
    assert.equal(flood(new AcceptRate(40), 0, () => ip), 40);
  }
});
