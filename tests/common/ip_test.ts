import assert from "node:assert/strict";
import {
  canonicalIp,
  ipBytes,
  ipText,
  isLoopback,
  mapped,
  sourceKey,
  unmapped,
} from "../../src/common/ip.ts";

Deno.test("ipBytes() reads an IPv4 address of four decimal numbers below 256, and no other notation", () => {
  assert.deepEqual(ipBytes("0.10.200.255"), Uint8Array.of(0, 10, 200, 255));
  const wrong = [
    "",
    ".",
    "1.2.3",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "1.2.3.4.",
    "1.2.3.4.5",
    "1.2.3.256",
  ];
  wrong.push(
    "01.2.3.4",
    "1.2.3.00",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.-4",
    "1.2.3.4e0",
    "1.2.3.\u0664",
  );
  wrong.push("1.2.3.0x4", "1.2.3.4294967300", "1.2.3.4\n", "example.org", "9".repeat(400));
  for (const text of wrong) assert.equal(ipBytes(text), undefined, JSON.stringify(text));
});

Deno.test("ipText() and canonicalIp() write an IPv6 address as RFC 5952 says", () => {
  const texts = {
    "2001:DB8:0:0:1:0:0:1": "2001:db8::1:0:0:1",
    "2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
    "0:0:0:0:0:0:0:0": "::",
    "::FFFF:192.0.2.1": "192.0.2.1",
    "::ffff:c000:201": "192.0.2.1",
    "64:ff9b::192.0.2.1": "64:ff9b::c000:201",
  };
  for (const [text, canonical] of Object.entries(texts)) {
    assert.equal(ipText(ipBytes(text)!), canonical, text);
    assert.equal(canonicalIp(text), canonical, text);
  }
  for (const text of ["::1::", "1:2:3", "12345::", "::1.2.3", ":::", "1:2:3:4:5:6:7:8:9"]) {
    assert.equal(canonicalIp(text), undefined, text);
  }
});

Deno.test("canonicalIp() removes brackets and zone of an address", () => {
  assert.equal(canonicalIp("[2001:db8::0001]"), "2001:db8::1");
  assert.equal(canonicalIp("fe80::1%eth0"), "fe80::1");
  assert.equal(canonicalIp("192.0.2.1"), "192.0.2.1");
  for (const text of ["127.1", "0x7f000001", "localhost", "", "[", "2130706433"]) {
    assert.equal(canonicalIp(text), undefined, text);
  }
});

Deno.test("mapped() and unmapped() convert an IPv4 address into IPv6 and back", () => {
  assert.equal(mapped("192.0.2.1"), "::ffff:192.0.2.1");
  assert.equal(mapped("2001:db8::1"), "2001:db8::1");
  assert.equal(unmapped("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(unmapped("::ffff:1"), "::ffff:1");
});

Deno.test("sourceKey() is equal for one IPv4 address, and for one IPv6 /64 network", () => {
  assert.equal(sourceKey("192.0.2.1"), "192.0.2.1");
  assert.notEqual(sourceKey("192.0.2.1"), sourceKey("192.0.2.2"));
  assert.equal(sourceKey("2001:db8::1"), sourceKey("2001:db8:0:0:ffff::2"));
  assert.notEqual(sourceKey("2001:db8::1"), sourceKey("2001:db8:0:1::1"));
});

Deno.test("isLoopback() is true for 127.0.0.0/8 and ::1 only", () => {
  for (const ip of ["127.0.0.1", "127.255.0.1", "::1"]) assert.equal(isLoopback(ip), true, ip);
  for (const ip of ["12.7.0.1", "::", "::2", "1.127.0.1"]) assert.equal(isLoopback(ip), false, ip);
});
