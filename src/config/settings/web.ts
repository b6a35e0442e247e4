// [web].
import { integer, ipAddress, list, oneOf, type Setting, text } from "../setting.ts";

export const web = {
  "web.port": integer(0, {
    min: 0,
    max: 65_535,
    shipped: "8080",
    comment:
      "TCP port of the web door: pages, streams by HTTP and WebSocket, RTWebSocket; 0 for none.",
  }),
  "web.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "The IP address it listens on. Nothing means all of them, IPv6 and IPv4.",
  }),
  "web.certificate": text("", {
    live: true,
    comment:
      "File with the certificate chain in PEM form. With it and key the door speaks HTTPS alone.",
  }),
  "web.key": text("", {
    live: true,
    comment: "File with the private key of the certificate in PEM form.",
  }),
  "web.origins": list<string>(["*"], {
    read: (entry) => /^(\*|https?:\/\/[\w.:[\]-]+)$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "* and origins such as https://example.com",
    live: true,
    comment:
      "Pages of which origins may open WebSockets and read streams, besides the door's own pages:\n" +
      "origins such as https://example.com, or * for all. Programs that send no origin may always.",
  }),
  "web.list": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "Whether / lists the streams that are on air, and /-/recordings/APPLICATION the recordings of an\n" +
      "application, for everybody to see.",
  }),
  "web.sockets": list<number>([], {
    read: (entry) => /^\d{1,5}$/.test(entry) && Number(entry) < 65_536 ? Number(entry) : undefined,
    allowed: "TCP ports",
    live: true,
    comment:
      "Ports of scripts' TCP servers that WebSockets reach by /tcp/PORT, as Ruffle's socketProxy\n" +
      "does for Flash's Socket and XMLSocket.",
  }),
  "web.viewers": integer(1_024, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment: "WebSockets and viewers by HTTP that there may be at once.",
  }),
  "web.viewersOfAddress": integer(64, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment:
      "Of those, as many as one IP address may have, or one /64 of IPv6, other than loopback.",
  }),
} satisfies Record<string, Setting<unknown>>;
