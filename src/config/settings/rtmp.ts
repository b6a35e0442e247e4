// [rtmp] and [relay].
import { parseRelays, type RelayEntry } from "../relay_entry.ts";
import { integer, ipAddress, type Setting, text } from "../setting.ts";

export const rtmp = {
  "rtmp.port": integer(0, {
    min: 0,
    max: 65_535,
    shipped: "1935",
    comment: "TCP port of RTMP: OBS, ffmpeg and hardware encoders, players, Flash; 0 for none.",
  }),
  "rtmp.tlsPort": integer(0, {
    min: 0,
    max: 65_535,
    comment: "TCP port of RTMPS, which is RTMP inside TLS; usually 443, 0 for none.",
  }),
  "rtmp.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "The IP address both listen on. Nothing means all of them, IPv6 and IPv4.",
  }),
  "rtmp.certificate": text("", {
    live: true,
    comment: "File with the certificate chain for tlsPort in PEM form.",
  }),
  "rtmp.key": text("", {
    live: true,
    comment: "File with the private key of the certificate in PEM form.",
  }),
  "rtmp.connections": integer(10_000, {
    min: 0,
    max: 1_000_000,
    comment:
      "Connections that there may be at once; further ones are closed as they come. 0 sets no limit.",
  }),
  "rtmp.connectionsOfAddress": integer(1_000, {
    min: 0,
    max: 1_000_000,
    comment:
      "Of those, connections that one IP address may have, or one /64 of IPv6, other than loopback.\n" +
      "0 sets no limit.",
  }),
  "rtmp.unconnected": integer(256, {
    min: 1,
    max: 100_000,
    comment:
      "Connections that have not sent connect yet; the oldest makes room for one more. They have 10 s.",
  }),
  "rtmp.unconnectedOfAddress": integer(16, {
    min: 1,
    max: 100_000,
    comment:
      "Of those, connections that one IP address may have, or one /64 of IPv6, other than loopback.",
  }),

  "relay.push": relays(
    "Publications that are sent to other RTMP servers whenever somebody publishes them: name URL,\n" +
      "separated by ;, where the URL is rtmp://host/app/name or rtmps://…, under [sandbox] connect.",
  ),
  "relay.pull": relays(
    "Streams of other RTMP servers that are published here: name URL, likewise.",
  ),
} satisfies Record<string, Setting<unknown>>;

function relays(comment: string): Setting<readonly RelayEntry[]> {
  return {
    default: [],
    text: "",
    allowed: "name rtmp://host/app/name, more of them separated by ;",
    comment,
    live: true,
    secret: true,
    read: parseRelays,
  };
}
