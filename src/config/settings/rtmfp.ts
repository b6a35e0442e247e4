// [rtmfp].
import { type GroupId, groupOf } from "../../rtmfp/crypto/dh_groups.ts";
import { integer, ipAddress, list, oneOf, type Setting } from "../setting.ts";

export const rtmfp = {
  "rtmfp.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "The IP address to listen on. Nothing means all of them, IPv6 and IPv4.",
  }),
  "rtmfp.native": oneOf(["auto", "on", "off"], "auto", {
    comment:
      "Cryptography by OpenSSL's libcrypto, and on Linux system calls of our own, which send\n" +
      "datagrams in batches and write to TCP clients without TLS: auto uses what this machine\n" +
      "has, on does not start without libcrypto and batches, off uses none of it.",
  }),
  "rtmfp.groups": list<GroupId>([2, 14, 16], {
    read: (entry) => groupOf(Number(entry))?.id,
    allowed: "2, 14 and 16, at least one",
    least: 1,
    comment:
      "Diffie-Hellman groups that clients may choose from: 2 (1024 bits, the only one Flash\n" +
      "Player knows), 14 (2048 bits) and 16 (4096 bits).",
  }),
  "rtmfp.require": oneOf(["nothing", "hmac"], "nothing", {
    comment:
      "nothing lets every client in; hmac refuses those that cannot send HMACs and sequence\n" +
      "numbers with every packet, such as librtmfp.",
  }),
  "rtmfp.sessions": integer(100_000, {
    min: 0,
    max: 10_000_000,
    comment:
      "Sessions that there may be at once; further clients are refused until one ends. One that\n" +
      "is idle takes up to 7 KiB, one that plays some 27. 0 sets no limit.",
  }),
  "rtmfp.sessionsOfAddress": integer(10_000, {
    min: 0,
    max: 10_000_000,
    comment:
      "Of those, sessions that one IP address may have, or one /64 of IPv6, other than loopback.\n" +
      "0 sets no limit.",
  }),
  "rtmfp.sendQueue": integer(8, {
    min: 1,
    max: 1_024,
    unit: "MiB",
    comment:
      "MiB that may wait for a listener who is too slow, before it is dropped to the next key\n" +
      "frame.",
  }),

  "rtmfp.rebase": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "on: what a client plays begins at time 0 if it comes after the publisher; off: it gets\n" +
      "the times of the publisher. Scripts always see the publisher's.",
  }),
} satisfies Record<string, Setting<unknown>>;
