import type { Source } from "../../src/monitor/snapshot.ts";

/** A server with two streams and a script that fails; names are what a hostile client may choose. */
export function fakeSource(): Source & { datagrams: number } {
  const page = <T>(rows: T[], offset: number, limit: number) => ({
    total: rows.length,
    rows: rows.slice(offset, offset + limit),
  });
  const quality = (byteRate: number) => ({
    byteRate,
    lostRate: 0.01,
    latency: 20,
    droppedFrames: 2,
  });
  return {
    datagrams: 1000,
    history: () => ({
      interval: 10_000,
      bytesIn: Array.from({ length: 200 }, (_, i) => 200_000 + 100_000 * Math.sin(i / 9)),
      bytesOut: Array.from({ length: 200 }, (_, i) => 900_000 + 300_000 * Math.sin(i / 15)),
      clients: Array.from({ length: 200 }, (_, i) => Math.round(100 + 40 * Math.sin(i / 25))),
    }),
    status() {
      this.datagrams += 100;
      return {
        version: "1.2.3",
        startedAt: 0,
        uptime: 3700,
        backends: { crypto: "libcrypto", socket: "sendmmsg" },
        addresses: {
          listening: ["[::]:1935"],
          local: ["192.0.2.1"],
          publicAddress: "rtmfp.example:1935",
          lastFromOutside: null,
        },
        sessions: { open: 3, opening: 1, clients: 2 },
        traffic: {
          datagramsIn: this.datagrams,
          datagramsOut: 2 * this.datagrams,
          bytesIn: 100 * this.datagrams,
          bytesOut: 1000 * this.datagrams,
        },
        handshakes: 17,
        doors: [{
          name: "rtmp",
          sessions: 5,
          unconnected: 1,
          accepted: 12,
          bytesIn: 1e6,
          bytesOut: 2e7,
          closed: { "connect timeout": 2, silent: 1 },
        }],
        drops: { "bad checksum": 4, "unknown session": 0 },
        refusals: { connect: 3, listen: 0, udp: 0, mail: 0 },
        bus: {
          connected: true,
          messagesIn: 10,
          messagesOut: 20,
          bytesIn: 1000,
          bytesOut: 2000,
          dropped: { media: 3, control: 0, unreadable: 1 },
          lookups: { requests: 7, hits: 4, timeouts: 3 },
          relays: { incoming: 2, outgoing: 1 },
          claimsLost: 1,
        },
        loop: { lagMean: 0.5, lagWorst: 12.25 },
        memory: { resident: 123e6, heap: 45e6, lua: 6e6 },
      };
    },
    clients: (offset, limit) =>
      page(
        Array.from({ length: 150 }, (_, i) => ({
          id: i.toString(16).padStart(64, "0"),
          protocol: "rtmfp",
          address: `192.0.2.${i}:1000`,
          path: "/live",
          flashVersion: "WIN 11,7,700,202",
          ping: i,
          idle: 4000,
          publishes: i === 0 ? ["camera"] : [],
          plays: i === 1 ? ["camera"] : [],
        })),
        offset,
        limit,
      ),
    publications: (offset, limit) =>
      page(
        [
          {
            name: "camera",
            publisher: "0".repeat(64),
            audio: quality(8000),
            video: quality(125_000),
            listeners: 41,
            droppedFrames: 7,
            skippedFrames: 5,
            recording: { name: "cam", size: 12_000_000, duration: 95_000 },
          },
          {
            name: "<img src=x onerror=alert(1)>",
            publisher: "script",
            audio: quality(0),
            video: quality(0),
            listeners: 0,
            droppedFrames: 0,
            skippedFrames: 0,
            recording: null,
          },
        ],
        offset,
        limit,
      ),
    groups: (offset, limit) => page([{ id: "ab".repeat(32), size: 12 }], offset, limit),
    servers: () => [
      {
        address: "10.0.0.2:1936",
        publicAddress: "b.example:1935",
        isTarget: true,
        failure: "",
        isLinked: true,
        load: null,
        silence: null,
      },
      {
        address: "c.example:1935",
        publicAddress: "c.example:1935",
        isTarget: false,
        failure: "",
        isLinked: false,
        load: { clients: 1234, publications: 5, lag: 1 },
        silence: 900,
      },
      {
        address: "10.0.0.3:1936",
        publicAddress: "",
        isTarget: true,
        failure: "Connection refused",
        isLinked: false,
        load: null,
        silence: null,
      },
    ],
    applications: () => [
      {
        path: "",
        running: true,
        clients: 0,
        errors: 0,
        lastError: null,
        refusals: { connect: 0, publish: 0, record: 0, play: 0, call: 0, share: 0 },
      },
      {
        path: "/live",
        running: true,
        clients: 150,
        errors: 5,
        lastError: { at: 1000, text: 'live/main.lua:3: attempt to call a nil value "<b>"' },
        refusals: { connect: 17, publish: 1, record: 0, play: 0, call: 2, share: 0 },
      },
    ],
    totals: () => ({
      listeners: 41,
      publications: 2,
      groups: 1,
      droppedAudio: 3,
      droppedVideo: 7,
      skippedVideo: 5,
      keptBytes: 4096,
      sharedObjects: {
        objects: 2,
        uses: 31,
        bytes: 2048,
        changes: 900,
        sends: 8,
        refused: 6,
        written: 12,
        failed: 1,
      },
      recordings: { open: 2, players: 31, reads: 1, writtenBytes: 5000, overflows: 4 },
    }),
  };
}
