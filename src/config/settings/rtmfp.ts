// [rtmfp].
import { type GroupId, groupOf } from "../../rtmfp/crypto/dh_groups.ts";
import { integer, ipAddress, list, oneOf, type Setting } from "../setting.ts";

export const rtmfp = {
  "rtmfp.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "IP address to listen on. Empty: all addresses, IPv6 and IPv4.",
  }),
  "rtmfp.native": oneOf(["auto", "on", "off"], "auto", {
    comment:
      "Use of OpenSSL's libcrypto, and on Linux of system calls that send datagrams in batches and write\n" +
      "to TCP clients without TLS. auto: whatever this machine has; on: the server does not start\n" +
      "without libcrypto and batches; off: neither.",
  }),
  "rtmfp.groups": list<GroupId>([2, 14, 16], {
    read: (entry) => groupOf(Number(entry))?.id,
    allowed: "2, 14 and 16, at least one",
    least: 1,
    comment:
      "Diffie-Hellman groups that clients may use: 2 (1024 bits, the only one of Flash Player), 14 (2048\n" +
      "bits) and 16 (4096 bits).",
  }),
  "rtmfp.require": oneOf(["nothing", "hmac"], "nothing", {
    comment:
      "nothing: every client may connect; hmac: the server refuses clients that do not support HMACs and\n" +
      "sequence numbers in every packet, such as librtmfp.",
  }),
  "rtmfp.sessions": integer(100_000, {
    min: 0,
    max: 10_000_000,
    comment:
      "Maximum number of sessions; the server refuses further clients until a session ends. An idle\n" +
      "session takes up to 7 KiB of memory, one that plays about 27 KiB. 0: no limit.",
  }),
  "rtmfp.sessionsOfAddress": integer(10_000, {
    min: 0,
    max: 10_000_000,
    comment:
      "Maximum number of sessions of one IP address (IPv6: one /64), except loopback. 0: no limit.",
  }),
  "rtmfp.sendQueue": integer(8, {
    min: 1,
    max: 1_024,
    unit: "MiB",
    comment:
      "MiB that may wait for a slow listener; above it, the listener loses frames up to the next key\n" +
      "frame.",
  }),

  "rtmfp.rebase": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "on: a stream starts at time 0 for a client that joins after the publisher; off: the client gets\n" +
      "the publisher's times. Scripts always see the publisher's times.",
  }),
} satisfies Record<string, Setting<unknown>>;
