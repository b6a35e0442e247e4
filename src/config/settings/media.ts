// [media], [record] and [vod].
import { type NamePattern, parseNamePattern } from "../name_pattern.ts";
import { integer, list, oneOf, type Setting } from "../setting.ts";

export const media = {
  "media.gop": integer(2, {
    min: 0,
    max: 64,
    unit: "MiB",
    comment:
      "MiB of audio and video that a publication keeps since its last key frame, so that a client\n" +
      "that comes later sees a picture at once: it starts that much behind the others. A stream\n" +
      "whose key frames are farther apart, or more than 30 s, starts at the next one. 0 keeps\n" +
      "nothing. All publications together keep 256 MiB at most.",
  }),
  "media.publisherTimeout": integer(20, {
    min: 0,
    max: 3_600,
    unit: "seconds",
    live: true,
    comment:
      "Seconds without a packet of a publisher, after which its name is free again. It is asked\n" +
      "for one after half of them. 0 waits until its session ends.",
  }),
  "media.takeOver": oneOf(["off", "client", "address"], "address", {
    live: true,
    comment:
      "Who takes a name over from the client that publishes it, at once: client, the same client\n" +
      "in a new session; address, also a client of the same IP address if the publisher has been\n" +
      "silent for 2 s; off, nobody. A script can let others in, see onPublish.",
  }),

  "record.enabled": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "Whether clients may have recorded what they publish (record, append): into the folder streams\n" +
      "of their application. A script may always, see publication:record and onRecord.",
  }),
  "record.publications": list<NamePattern>([], {
    read: parseNamePattern,
    allowed: "/application/name, where * stands for any characters",
    live: true,
    comment:
      "Publications that are recorded without a script whenever somebody publishes them: the path of\n" +
      "the application and the name, as in /live/cam or /live/*. What [relay] pull publishes is /name.",
  }),
  "record.as": oneOf(["new", "record", "append", "appendWithGap"], "new", {
    live: true,
    comment:
      "How those are recorded: new, each time into a file of its own, cam-20260131-235959.flv; or into\n" +
      "cam.flv: record replaces it, append goes on at its end, appendWithGap after the time between.",
  }),
  "record.size": integer(0, {
    min: 0,
    max: 1_000_000,
    unit: "MiB",
    live: true,
    comment: "MiB after which a recording ends; 0 sets no limit.",
  }),
  "record.time": integer(0, {
    min: 0,
    max: 1_000_000,
    unit: "seconds",
    live: true,
    comment: "Seconds after which a recording ends; 0 sets no limit.",
  }),
  "record.segment": integer(0, {
    min: 0,
    max: 10_000,
    unit: "minutes",
    live: true,
    comment:
      "Minutes after which a recording goes on in another file, at a key frame: its files then are\n" +
      "name-20260131-235959.flv, by the time at which they begin. 0 keeps one file.",
  }),
  "record.free": integer(1_024, {
    min: 0,
    max: 100_000_000,
    unit: "MiB",
    live: true,
    comment: "MiB of the disk that stay free: recordings end before they take them.",
  }),
  "record.queue": integer(16, {
    min: 1,
    max: 1_024,
    unit: "MiB",
    live: true,
    comment:
      "MiB of a recording that may wait for the disk, before it loses frames up to the next key frame.",
  }),

  "vod.enabled": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "Whether clients may play the FLV files in the folder streams of their application: www/streams\n" +
      "of the root, www/chat/streams of /chat. Nothing else is read.",
  }),
  "vod.index": oneOf(["on", "off"], "on", {
    live: true,
    comment:
      "Whether the index of a recording of 4 MiB or more is kept beside it, film.flv.idx of film.flv,\n" +
      "so that a long one plays at once after a start; without it the file is read through first.",
  }),
  "vod.files": integer(256, {
    min: 1,
    max: 65_536,
    live: true,
    comment: "Files that may be played at once; the system may allow less (ulimit -n).",
  }),
} satisfies Record<string, Setting<unknown>>;
