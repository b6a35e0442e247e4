import assert from "node:assert/strict";
import { addressText, parseAddress } from "../../../src/common/address.ts";
import { usableAddresses } from "../../../src/rtmfp/session/networks.ts";

const whereabouts = ([observed, ...reported]: string[]) => ({
  observed: parseAddress(observed)!,
  reported: reported.map((text) => parseAddress(text)!),
});
const usable = (one: string[], other: string[]) =>
  usableAddresses(whereabouts(one), whereabouts(other)).map(addressText);

const home = ["203.0.113.9:4000", "192.168.1.18:5000", "[fd00::2]:5000", "[2001:db8:1:2::3]:5000"];

Deno.test("usableAddresses() returns public addresses for all peers, and private addresses only within one network", () => {
  const everywhere = ["[2001:db8:1:2::3]:5000"];
  assert.deepEqual(usable(home, ["198.51.100.7:1"]), everywhere, "another network");
  assert.deepEqual(usable(home, ["[2001:db8:7::1]:1"]), everywhere, "an address of another family");
  assert.deepEqual(usable(home, ["203.0.113.9:77"]), home.slice(1), "behind one NAT");
  assert.deepEqual(usable(home, ["[2001:db8:1:2::9]:77"]), home.slice(1), "in one IPv6 prefix");
  assert.deepEqual(usable(home, ["[2001:db8:1:3::9]:77"]), everywhere, "in the next prefix");
  assert.deepEqual(
    usable(home, ["198.51.100.7:1", "192.168.1.9:1", "[2001:db8:1:2::9]:77"]),
    home.slice(1),
    "another public address, but a reported address in the same prefix",
  );
  assert.deepEqual(
    usable(home, ["198.51.100.7:1", "192.168.1.9:1"]),
    everywhere,
    "many networks use 192.168.1",
  );
});

Deno.test("usableAddresses() returns private addresses for peers with an observed private address", () => {
  const near = ["10.0.0.1:4000", "192.168.1.18:5000"];
  assert.deepEqual(usable(near, ["172.16.9.9:1"]), near.slice(1));
  assert.deepEqual(usable(near, ["127.0.0.1:1"]), near.slice(1));
  assert.deepEqual(usable(near, ["[fd00::9]:1"]), near.slice(1));
  assert.deepEqual(usable(near, ["172.32.9.9:1"]), []);
  assert.deepEqual(usable(["100.64.0.1:1", "100.127.255.1:2"], ["10.1.1.1:1"]), [
    "100.127.255.1:2",
  ]);
});

Deno.test("usableAddresses() returns loopback addresses only on the same machine, and no link-local or multicast addresses", () => {
  const machine = ["127.0.0.1:4000", "127.0.0.2:5000", "[::1]:5000"];
  assert.deepEqual(usable(machine, ["127.0.0.3:1"]), machine.slice(1));
  assert.deepEqual(usable(machine, ["10.0.0.1:1"]), []);
  assert.deepEqual(usable(["203.0.113.9:1", "127.0.0.2:5"], ["203.0.113.9:2"]), ["127.0.0.2:5"]);
  const nothing = ["0.0.0.0:1", "169.254.1.1:1", "224.0.0.1:1", "255.255.255.255:1", "[::]:1"];
  const more = ["[fe80::1]:1", "[febf::1]:1", "[ff02::1]:1"];
  assert.deepEqual(usable(["127.0.0.1:1", ...nothing, ...more], ["127.0.0.1:1"]), []);
});
