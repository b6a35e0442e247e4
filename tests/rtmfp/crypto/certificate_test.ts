import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { toUtf8 } from "../../../src/bytes/text.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import {
  canonicalEpd,
  clientCertificate,
  isSelected,
  prevails,
  readCertificate,
  serverCertificate,
} from "../../../src/rtmfp/crypto/certificate.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { seededBytes } from "../../support/random.ts";
import { vector } from "../../support/vectors.ts";

const read = (hex: string) => readCertificate(portable, fromHex(hex));

Deno.test("vector:identity: readCertificate() returns fingerprint, canonical discriminator and fields of each certificate", () => {
  const expected: Record<string, { ephemeral: number[]; keys: [number, number][] }> = {
    "Flash/librtmfp client, group 2 static key": { ephemeral: [], keys: [[2, 128]] },
    "the same kind of certificate with a 127-byte key": { ephemeral: [], keys: [[2, 127]] },
    "client with three static keys (groups 16, 14, 2)": {
      ephemeral: [],
      keys: [[16, 512], [14, 256], [2, 128]],
    },
  };
  for (
    const { name, certificate, length, fingerprint, canonicalEpd: epd } of vector("identity").cases
  ) {
    const { ephemeralGroups, staticKeys, acceptsAncillary, ...rest } = read(certificate);
    const server = name.startsWith("server");
    const { ephemeral, keys } = server ? { ephemeral: [2, 5, 14], keys: [] } : expected[name];
    assert.equal(rest.bytes.length, length, name);
    assert.equal(toHex(rest.fingerprint), fingerprint, name);
    assert.equal(toHex(canonicalEpd(rest.fingerprint)), epd, name);
    assert.deepEqual(ephemeralGroups, ephemeral, name);
    assert.deepEqual(staticKeys.map((key) => [key.group, key.publicKey.length]), keys, name);
    assert.equal(acceptsAncillary, server, name);
    if (!server) assert.equal(toHex(clientCertificate(staticKeys)), certificate, name);
  }
});

Deno.test("vector:group-address: the SHA-256 of canonicalEpd() is the address of a peer in a group", () => {
  const { peerId, address } = vector("group-address");
  assert.equal(toHex(portable.sha256(canonicalEpd(fromHex(peerId)))), address);
});

Deno.test("serverCertificate() has 77 bytes with any Diffie-Hellman groups", () => {
  const random = seededBytes(77);
  const made = serverCertificate(random);
  assert.match(toHex(made), /^010a410e(..){64}02150202150e021510$/);
  assert.equal(made.length, 77);
  assert.deepEqual(read(toHex(made)).ephemeralGroups, [2, 14, 16]);
  for (const groups of [[2], [14, 16], [16, 14, 2]] as const) {
    const certificate = serverCertificate(random, groups);
    assert.equal(certificate.length, 77);
    const { ephemeralGroups, acceptsAncillary } = read(toHex(certificate));
    assert.deepEqual([ephemeralGroups, acceptsAncillary], [[...groups], true]);
  }
  assert.match(toHex(serverCertificate(random, [2, 14])), /^010a440e/);
  assert.notDeepEqual(serverCertificate(random), made);
});

Deno.test("readCertificate() throws WireError for both or neither kind of key, a repeated group, or truncation", () => {
  for (
    const hex of [
      "",
      "010a",
      "0300686f",
      "021502 031d02aa",
      "031d02aa 031d02bb",
      "021502 0a",
      "0115",
      "011d",
      "03158182",
    ]
  ) {
    assert.throws(() => read(hex), WireError, hex);
  }
  const full = vector("identity").cases[0].certificate;
  for (let digits = 0; digits < full.length; digits += 2) {
    assert.throws(() => read(full.slice(0, digits)), WireError);
  }
});

Deno.test("readCertificate() ends at a Marker, and so does the fingerprint", () => {
  const certificate = read("021502 00 021510");
  assert.deepEqual(certificate.ephemeralGroups, [2]);
  assert.deepEqual(certificate.fingerprint, portable.sha256(fromHex("02150200")));
  const unknown = read("021502 030faaaa");
  assert.deepEqual(unknown.fingerprint, portable.sha256(fromHex("021502030faaaa")));
});

Deno.test("isSelected() compares the fingerprint alone if there is one, otherwise hostname and ancillary data", () => {
  const server = read("02150e 010a 020068");
  const client = read("031d02aa");
  const ancillary = toUtf8("rtmfp://host/app");
  const [right, wrong] = [toUtf8("h"), toUtf8("H")];
  assert.ok(isSelected({ ancillary }, server));
  assert.ok(!isSelected({ ancillary }, client));
  assert.ok(isSelected({ hostname: right }, server));
  assert.ok(isSelected({ hostname: right, ancillary }, server));
  assert.ok(!isSelected({ hostname: wrong, ancillary }, server));
  assert.ok(!isSelected({ hostname: right }, client));
  assert.ok(isSelected({ fingerprint: client.fingerprint }, client));
  assert.ok(isSelected({ fingerprint: server.fingerprint, hostname: wrong }, server));
  assert.ok(!isSelected({ fingerprint: client.fingerprint, ancillary }, server));
  assert.ok(!isSelected({}, server));
});

Deno.test("vector:glare: prevails() is true for the smaller certificate", () => {
  const { nearCertificate, farCertificate, nearPrevails } = vector("glare");
  const [near, far] = [fromHex(nearCertificate), fromHex(farCertificate)];
  assert.equal(prevails(near, far), nearPrevails);
  assert.equal(prevails(far, near), !nearPrevails);
  assert.equal(prevails(near.subarray(0, 9), near), true, "a shorter certificate is smaller");
  assert.equal(prevails(near, near.subarray(0, 9)), false);
  assert.equal(prevails(near, near), false);
});
