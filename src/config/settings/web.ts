// [web].
import { integer, ipAddress, list, oneOf, type Setting, text } from "../setting.ts";

export const web = {
  "web.port": integer(0, {
    min: 0,
    max: 65_535,
    shipped: "8080",
    comment:
      "TCP port of the web door: pages, streams by HTTP and WebSocket, RTWebSocket; 0: none.",
  }),
  "web.address": ipAddress("", {
    allowed: "an IP address of this machine, or nothing",
    comment: "IP address to listen on. Empty: all addresses, IPv6 and IPv4.",
  }),
  "web.certificate": text("", {
    live: true,
    comment:
      "PEM file with the certificate chain. With certificate and key, the port serves only HTTPS.",
  }),
  "web.key": text("", {
    live: true,
    comment: "PEM file with the private key of the certificate.",
  }),
  "web.origins": list<string>(["*"], {
    read: (entry) => /^(\*|https?:\/\/[\w.:[\]-]+)$/.test(entry) ? entry.toLowerCase() : undefined,
    allowed: "* and origins such as https://example.com",
    live: true,
    comment:
      "Origins whose pages may open WebSockets and read streams, such as https://example.com, or * for\n" +
      "all. The server's own pages, and programs that send no origin, always may.",
  }),
  "web.list": oneOf(["off", "on"], "off", {
    live: true,
    comment: "on: everybody can see the live streams (/) and the recordings of an application\n" +
      "(/-/recordings/APPLICATION).",
  }),
  "web.sockets": list<number>([], {
    read: (entry) => /^\d{1,5}$/.test(entry) && Number(entry) < 65_536 ? Number(entry) : undefined,
    allowed: "TCP ports",
    live: true,
    comment:
      "Ports of scripts' TCP servers that WebSockets can reach by /tcp/PORT, as Ruffle's socketProxy\n" +
      "does for Flash's Socket and XMLSocket.",
  }),
  "web.viewers": integer(1_024, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment: "Maximum number of WebSockets and HTTP viewers.",
  }),
  "web.viewersOfAddress": integer(64, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment: "The same for one IP address (IPv6: one /64), except loopback.",
  }),
} satisfies Record<string, Setting<unknown>>;
