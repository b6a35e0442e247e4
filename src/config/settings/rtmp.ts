// [rtmp] and [relay].
import { parseRelays, type RelayEntry } from "../relay_entry.ts";
import { integer, ipAddress, type Setting, text } from "../setting.ts";

export const rtmp = {
  "rtmp.port": integer(0, {
    min: 0,
    max: 65_535,
    shipped: "1935",
    comment: "TCP port of RTMP (OBS, ffmpeg, hardware encoders, players, Flash); 0: none.",
  }),
  "rtmp.tlsPort": integer(0, {
    min: 0,
    max: 65_535,
    comment: "TCP port of RTMPS (RTMP inside TLS), usually 443; 0: none.",
  }),
  "rtmp.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "IP address that port and tlsPort listen on. Empty: all addresses, IPv6 and IPv4.",
  }),
  "rtmp.certificate": text("", {
    live: true,
    comment: "PEM file with the certificate chain for tlsPort.",
  }),
  "rtmp.key": text("", {
    live: true,
    comment: "PEM file with the private key of the certificate.",
  }),
  "rtmp.connections": integer(10_000, {
    min: 0,
    max: 1_000_000,
    comment: "Maximum number of connections; the server closes further ones at once. 0: no limit.",
  }),
  "rtmp.connectionsOfAddress": integer(1_000, {
    min: 0,
    max: 1_000_000,
    comment:
      "Maximum number of connections of one IP address (IPv6: one /64), except loopback. 0: no limit.",
  }),
  "rtmp.unconnected": integer(256, {
    min: 1,
    max: 100_000,
    comment:
      "Maximum number of connections that have not sent connect yet; above it, the server closes the\n" +
      "oldest one. A client has 10 s to send connect.",
  }),
  "rtmp.unconnectedOfAddress": integer(16, {
    min: 1,
    max: 100_000,
    comment: "The same for one IP address (IPv6: one /64), except loopback.",
  }),

  "relay.push": relays(
    "Publications that the server sends to other RTMP servers: name URL, separated by ;. URL is\n" +
      "rtmp://host/app/name or rtmps://…, allowed by [sandbox] connect.",
  ),
  "relay.pull": relays(
    "Streams of other RTMP servers that the server publishes: name URL, separated by ;.",
  ),
} satisfies Record<string, Setting<unknown>>;

function relays(comment: string): Setting<readonly RelayEntry[]> {
  return {
    default: [],
    text: "",
    allowed: "name rtmp://host/app/name, separated by ;",
    comment,
    live: true,
    secret: true,
    read: parseRelays,
  };
}
