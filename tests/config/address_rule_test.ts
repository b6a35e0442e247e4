import assert from "node:assert/strict";
import { parseAddressRule } from "../../src/config/address_rule.ts";

function matches(rule: string, ip: string, port = 80, name?: string): boolean {
  const parsed = parseAddressRule(rule);
  assert.ok(parsed, rule);
  return parsed.matches(ip, port, name);
}

Deno.test("AddressRule matches by address, range and port", () => {
  assert.ok(matches("*", "192.0.2.1"));
  assert.ok(matches("192.0.2.1", "192.0.2.1", 1));
  assert.ok(!matches("192.0.2.1", "192.0.2.2"));
  assert.ok(matches("192.0.2.1:80", "192.0.2.1", 80));
  assert.ok(!matches("192.0.2.1:80", "192.0.2.1", 81));
  assert.ok(matches("*:1024-65535", "192.0.2.1", 1024));
  assert.ok(!matches("*:1024-65535", "192.0.2.1", 1023));
  assert.ok(matches("10.0.0.0/8:*", "10.255.0.1"));
  assert.ok(!matches("10.0.0.0/8", "11.0.0.1"));
  assert.ok(matches("10.1.128.0/17", "10.1.200.1"));
  assert.ok(!matches("10.1.128.0/17", "10.1.100.1"));
  assert.ok(matches("0.0.0.0/0", "203.0.113.9"));
  assert.ok(!matches("0.0.0.0/0", "2001:db8::1"));
  assert.ok(matches("2001:db8::/32", "2001:db8:1::1"));
  assert.ok(matches("[2001:db8::1]:443", "2001:db8::1", 443));
  assert.ok(!matches("[2001:db8::1]:443", "2001:db8::1", 80));
  assert.ok(matches("[fd00::/8]:443", "fd12::1", 443));
  assert.ok(matches("::1", "::1"));
});

Deno.test("AddressRule with a name matches the requested name", () => {
  assert.ok(matches("db.internal:5432", "10.0.0.5", 5432, "DB.internal"));
  assert.ok(!matches("db.internal:5432", "10.0.0.5", 5432));
  assert.ok(matches("*.example.org", "192.0.2.1", 80, "www.example.org"));
  assert.ok(!matches("*.example.org", "192.0.2.1", 80, "example.org"));
  assert.ok(!matches("*.example.org", "192.0.2.1", 80, "badexample.org"));
});

Deno.test("The rules public, private and loopback match addresses of their ranges only", () => {
  for (const ip of ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "172.32.0.1", "100.63.255.255"]) {
    assert.ok(matches("public", ip), ip);
  }
  const special = [
    ...["10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "0.0.0.0"],
    ...["100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.0.192"],
    ...["::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1", "2002:a00:1::", "64:ff9b::a00:1"],
  ];
  for (const ip of special) assert.ok(!matches("public", ip), ip);
  for (const none of ["", "0x7f.1", "localhost", "1.2.3", "::g"]) {
    assert.ok(!matches("public", none), `${none} is not an address`);
  }
  assert.ok(matches("private", "172.31.255.255"));
  assert.ok(matches("private", "fd00::1"));
  assert.ok(!matches("private", "169.254.169.254"));
  assert.ok(matches("loopback", "127.1.2.3"));
  assert.ok(matches("loopback", "::1"));
});

Deno.test("parseAddressRule() refuses invalid rules", () => {
  for (
    const text of [
      "",
      "a b",
      "10.0.0.0/33",
      "10.0.0.1:",
      "10.0.0.1:99999",
      "10.0.0.1:9-8",
      "1.2.3",
      "[::1",
      "http://a/",
      "10.0.0.1/",
      "a..b:x",
      "*.",
    ]
  ) {
    assert.equal(parseAddressRule(text), undefined, text);
  }
});
