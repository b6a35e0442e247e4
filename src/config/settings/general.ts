// Keys above the first section, and [application].
import { integer, oneOf, type Setting, text } from "../setting.ts";

export const general = {
  port: integer(1935, { min: 1, max: 65535, comment: "UDP port for RTMFP." }),
  udpBufferSize: integer(0, {
    min: 0,
    max: 0x7fffffff,
    unit: "bytes",
    comment:
      "Receive and send buffer of the UDP socket, in bytes. 0: the server chooses 4 MiB where [rtmfp]\n" +
      "native can set it, else the default of the system. Linux limits it to net.core.rmem_max and\n" +
      "wmem_max.",
  }),
  keepAliveServer: integer(15, {
    min: 5,
    max: 255,
    unit: "seconds",
    clamp: true,
    live: true,
    comment: "Seconds between the keep-alives that clients send to this server (5 to 255).",
  }),
  keepAlivePeer: integer(10, {
    min: 5,
    max: 255,
    unit: "seconds",
    clamp: true,
    live: true,
    comment: "Seconds between the keep-alives that clients send to each other (5 to 255).",
  }),
  threads: integer(0, {
    min: 0,
    max: 1024,
    comment: "Ignored: one thread serves all clients. Older files have this key.",
  }),
  publicAddress: text("", {
    pattern: /^$|^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+)(:\d{1,5})?$/,
    allowed: "host:port, a host for port 1935, or nothing",
    comment: "host:port at which clients reach this server. Other servers and scripts see it\n" +
      "(cumulus.publicAddress).",
  }),

  "application.dir": text("", {
    comment:
      "Folder that holds www and logs; by default the folder of this file. The option --dir overrides\n" +
      "it.",
  }),
  "application.unknown": oneOf(["reject", "nearest"], "reject", {
    shipped: "nearest",
    live: true,
    comment:
      "Clients of an application that has no folder under www. reject: the server refuses them; nearest:\n" +
      "they join the nearest application above, at last the root. Clients of Adobe's Cirrus\n" +
      "(rtmfp://host/<developer key>/) need nearest.",
  }),
} satisfies Record<string, Setting<unknown>>;
