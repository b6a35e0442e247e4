// Keys above the first section, and [application].
import { integer, oneOf, type Setting, text } from "../setting.ts";

export const general = {
  port: integer(1935, { min: 1, max: 65535, comment: "UDP port for RTMFP." }),
  udpBufferSize: integer(0, {
    min: 0,
    max: 0x7fffffff,
    unit: "bytes",
    comment:
      "Size in bytes of the socket's receive and send buffers. 0 leaves the choice to the server:\n" +
      "4 MiB where [rtmfp] native can set it, elsewhere what the system gives. On Linux no more than\n" +
      "net.core.rmem_max and wmem_max.",
  }),
  keepAliveServer: integer(15, {
    min: 5,
    max: 255,
    unit: "seconds",
    clamp: true,
    live: true,
    comment: "Seconds between the keep-alives that clients send to this server, 5 to 255.",
  }),
  keepAlivePeer: integer(10, {
    min: 5,
    max: 255,
    unit: "seconds",
    clamp: true,
    live: true,
    comment: "Seconds between the keep-alives that clients send to one another, 5 to 255.",
  }),
  threads: integer(0, {
    min: 0,
    max: 1024,
    comment: "Accepted for the sake of older files, and ignored: one thread serves all clients.",
  }),
  publicAddress: text("", {
    pattern: /^$|^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+)(:\d{1,5})?$/,
    allowed: "host:port, a host for port 1935, or nothing",
    comment: "The host:port at which clients reach this server, told to other servers and to\n" +
      "scripts (cumulus.publicAddress).",
  }),

  "application.dir": text("", {
    comment:
      "The folder of www and logs, by default that of this file. The option --dir goes before it.",
  }),
  "application.unknown": oneOf(["reject", "nearest"], "reject", {
    shipped: "nearest",
    live: true,
    comment: "A client of an application without a folder under www: reject refuses it, nearest\n" +
      "gives it the nearest application above, in the end the root. Clients written for Adobe's\n" +
      "Cirrus (rtmfp://host/<developer key>/) need nearest.",
  }),
} satisfies Record<string, Setting<unknown>>;
