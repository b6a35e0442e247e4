// [media], [record] and [vod].
import { type NamePattern, parseNamePattern } from "../name_pattern.ts";
import { integer, list, oneOf, type Setting } from "../setting.ts";

export const media = {
  "media.gop": integer(2, {
    min: 0,
    max: 64,
    unit: "MiB",
    comment:
      "MiB of audio and video since the last key frame that the server keeps per publication, so that a\n" +
      "late client sees a picture at once; it plays that much behind the others. If key frames are\n" +
      "farther apart than this or than 30 s, late clients start at the next one. 0: keep nothing. All\n" +
      "publications together keep at most 256 MiB.",
  }),
  "media.publisherTimeout": integer(20, {
    min: 0,
    max: 3_600,
    unit: "seconds",
    live: true,
    comment:
      "Seconds without a packet from a publisher after which its name is free; after half of them the\n" +
      "server sends it a ping. 0: the name stays taken until the session ends.",
  }),
  "media.takeOver": oneOf(["off", "client", "address"], "address", {
    live: true,
    comment:
      "Clients that may take over the name of a stream from its publisher at once. client: the same\n" +
      "client in a new session; address: also a client of the same IP address, if the publisher has been\n" +
      "silent for 2 s; off: no client. A script can allow others (onPublish).",
  }),

  "record.enabled": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "on: clients may record their publications (record, append) into the folder streams of their\n" +
      "application. Scripts always may (publication:record, onRecord).",
  }),
  "record.publications": list<NamePattern>([], {
    read: parseNamePattern,
    allowed: "/application/name, where * stands for any characters",
    live: true,
    comment:
      "Publications that the server records without a script, by application and name: /live/cam or\n" +
      "/live/*. A publication of [relay] pull is /name.",
  }),
  "record.as": oneOf(["new", "record", "append", "appendWithGap"], "new", {
    live: true,
    comment:
      "How [record] publications are stored. new: a new file each time, cam-20260131-235959.flv. The\n" +
      "others use cam.flv; record: replace it; append: continue at its end; appendWithGap: continue, and\n" +
      "keep the time that passed since.",
  }),
  "record.size": integer(0, {
    min: 0,
    max: 1_000_000,
    unit: "MiB",
    live: true,
    comment: "MiB after which a recording ends. 0: no limit.",
  }),
  "record.time": integer(0, {
    min: 0,
    max: 1_000_000,
    unit: "seconds",
    live: true,
    comment: "Seconds after which a recording ends. 0: no limit.",
  }),
  "record.segment": integer(0, {
    min: 0,
    max: 10_000,
    unit: "minutes",
    live: true,
    comment:
      "Minutes after which a recording continues in a new file, at a key frame. Files are then named by\n" +
      "their start time, name-20260131-235959.flv. 0: one file.",
  }),
  "record.free": integer(1_024, {
    min: 0,
    max: 100_000_000,
    unit: "MiB",
    live: true,
    comment: "MiB of the disk to keep free: recordings end before they use it.",
  }),
  "record.queue": integer(16, {
    min: 1,
    max: 1_024,
    unit: "MiB",
    live: true,
    comment:
      "MiB of a recording that may wait for the disk; above it, the recording loses frames up to the\n" +
      "next key frame.",
  }),

  "vod.enabled": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "on: clients may play the FLV files in the folder streams of their application: www/streams of the\n" +
      "root, www/chat/streams of /chat. They can read no other file.",
  }),
  "vod.index": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "on: the server stores the index of a recording of 4 MiB or more beside it (film.flv.idx for\n" +
      "film.flv), so that a long file plays at once after a restart; off: it reads the file through\n" +
      "first.",
  }),
  "vod.files": integer(256, {
    min: 1,
    max: 65_536,
    live: true,
    comment: "Maximum number of files played at once; the system may allow fewer (ulimit -n).",
  }),
} satisfies Record<string, Setting<unknown>>;
