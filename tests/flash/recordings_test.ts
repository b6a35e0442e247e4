// NetStream over recordings: choice of live or recorded, and statuses for the client.
import assert from "node:assert/strict";
import { type AmfValue, encodeAmf } from "../../src/amf/mod.ts";
import { Refused } from "../../src/media/refused.ts";
import { Store } from "../../src/store/store.ts";
import { FakeDisk, film, flvFile } from "../store/fakes.ts";
import { command, flashWorld } from "./fakes.ts";

function stage(steps: Parameters<typeof flashWorld>[0] = {}, mayRecord = true) {
  const { hub, connected, events } = flashWorld(steps);
  const disk = new FakeDisk();
  for (const name of ["film", "next"]) disk.files.set(`/${name}.flv`, flvFile(film()));
  const store = hub.recordings = new Store(hub, {
    disk,
    limits: () => ({ size: 0, time: 0, segment: 0 }),
    queueLimit: () => 1 << 20,
    clientsMayRecord: () => mayRecord,
    automatic: () => undefined,
    date: () => new Date(0),
  });
  const pass = (milliseconds: number) => {
    const end = hub.now + milliseconds;
    do {
      do store.flush(hub.now); while (disk.settle());
      hub.now += 50;
    } while (hub.now <= end);
    hub.now = end;
  };
  const stream = () => {
    const client = connected();
    client.call("createStream", 1);
    const flow = client.stream(1);
    /** Statuses and events sent since the last call, without frames. */
    const told = () => {
      pass(0);
      return client.session.take().map(short).filter((line) => line !== "");
    };
    return {
      client,
      told,
      do: (name: string, ...values: AmfValue[]) => {
        flow.deliver(command(name, 0, null, ...values));
        return told();
      },
    };
  };
  return { hub, disk, store, events, pass, stream };
}

/** The code of a status or the user control event; "" for frames. */
function short(line: string): string {
  const status = /NetStream\.[\w.]+/.exec(line);
  if (status) return status[0].slice("NetStream.".length);
  const event = /event (\d+) /.exec(line);
  return event && event[1] !== "34" ? `event ${event[1]}` : "";
}

const START = ["event 4", "event 0", "Play.Reset", "Play.Start"];

Deno.test("VOD-001, VOD-002, RTMP-602 NetStream plays the live stream or the recording according to the start of play", () => {
  const { stream, hub, disk } = stage();
  assert.deepEqual(stream().do("play", "film"), START, "no start: recorded, without a publisher");
  assert.deepEqual(stream().do("play", "film", 0), START);
  assert.deepEqual(stream().do("play", "film", -1), START.slice(1), "live, waits");
  assert.deepEqual(stream().do("play", "none"), START.slice(1), "waits for a publisher");
  assert.deepEqual(stream().do("play", "none", 0), ["Play.StreamNotFound"]);
  assert.deepEqual(stream().do("play", "none", 5_000), ["Play.StreamNotFound"]);
  assert.deepEqual(stream().do("play", "../film", 0), ["Play.StreamNotFound"]);
  hub.publishFromScript("cam");
  assert.deepEqual(stream().do("play", "cam", 0), START.slice(1), "live: no recording");
  hub.publishFromScript("film");
  assert.deepEqual(stream().do("play", "film"), START.slice(1), "live takes precedence");
  assert.deepEqual(stream().do("play", "film", 0), START);
  assert.equal(disk.opened, 3);
});

Deno.test("VOD-081 onSubscribe gets the publication of a recording, which the hub does not list", () => {
  let refuse = false;
  const seen: unknown[] = [];
  const { stream, hub, disk } = stage({
    subscribe: (_, { publication: { name, recorded, publisherId } }) => {
      seen.push(name, recorded, publisherId, hub.publications.size);
      if (refuse) throw new Refused("members only");
    },
  });
  const one = stream();
  one.do("play", "film");
  assert.deepEqual(seen, ["film", true, 0, 0]);
  assert.deepEqual(one.do("closeStream"), ["Play.Stop"]);
  refuse = true;
  assert.deepEqual(one.do("play", "film"), ["Play.Failed"]);
  assert.equal(disk.opened, 0, "files are closed in both cases");
});

Deno.test("VOD-020, VOD-021, VOD-051 NetStream reports the end of a recording, and seeks before and after it", () => {
  const { stream, pass } = stage();
  const one = stream();
  one.do("play", "film");
  const sought = ["event 1", "event 4", "event 0", "Seek.Notify", "Play.Start"];
  assert.deepEqual(one.do("seek", 5_000), sought);
  pass(3_000);
  assert.deepEqual(one.told(), ["Play.Complete", "Play.Stop", "event 1"]);
  assert.deepEqual(one.do("seek", 0), sought);
  pass(10_000);
  assert.deepEqual(one.told(), ["Play.Complete", "Play.Stop", "event 1"]);
});

Deno.test("VOD-070 NetStream pauses and resumes a recording", () => {
  const { stream, pass } = stage();
  const one = stream();
  one.do("play", "film");
  assert.deepEqual(one.do("pause", true, 1_000), ["Pause.Notify", "event 1"]);
  pass(60_000);
  assert.deepEqual(one.told(), []);
  assert.deepEqual(one.do("pause", false, 1_000), ["event 4", "event 0", "Unpause.Notify"]);
  pass(10_000);
  assert.deepEqual(one.told(), ["Play.Complete", "Play.Stop", "event 1"]);
});

Deno.test("VOD-030 NetStream plays a playlist item after item at increasing times", () => {
  const { stream, pass } = stage();
  const one = stream();
  const { client } = one;
  const flow = client.stream(1);
  flow.deliver(command("play", 0, null, "film", 2_000, 5_000));
  flow.deliver(command("play", 0, null, "next", 1_000, 1_500, false));
  const times: number[] = [];
  const statuses: string[] = [];
  for (let steps = 0; steps < 100; steps++) {
    pass(100);
    for (const line of client.session.take()) {
      const time = /(?:audio|video) (\d+)/.exec(line)?.[1];
      if (time !== undefined) times.push(Number(time));
      statuses.push(short(line));
    }
  }
  const end = ["Play.Complete", "Play.Stop", "event 1"];
  assert.deepEqual(statuses.filter((line) => line !== ""), [
    ...START,
    ...["Play.Switch", "event 4", "event 0", "Play.Start"],
    ...end,
  ]);
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.deepEqual([times[0], times.at(-1)], [2_000, 8_000]);
});

Deno.test("NetStream executes commands received during the opening of a recording afterwards", () => {
  const { stream, pass } = stage();
  const one = stream();
  const { client } = one;
  const flow = client.stream(1);
  flow.deliver(command("play", 0, null, "film"));
  flow.deliver(command("pause", 0, null, true, 0));
  assert.deepEqual(one.told(), [...START, "Pause.Notify", "event 1"]);
  pass(20_000);
  assert.deepEqual(one.told(), []);
});

Deno.test("VOD-201, VOD-202 NetStream records a client's publication, or sends it the reason for a refusal", () => {
  const on = stage();
  const one = on.stream();
  assert.deepEqual(one.do("publish", "cam", "record"), ["Publish.Start", "Record.Start"]);
  assert.equal(on.hub.publications.get("cam")!.type, "record");
  assert.deepEqual(one.do("closeStream").slice(-1), ["Record.Stop"]);
  assert.ok(on.disk.files.has("/cam.flv"));
  assert.deepEqual(one.do("publish", "../cam", "record"), ["Publish.Start", "Record.NoAccess"]);
  const refusing = stage({
    record: () => {
      throw new Refused("not this one");
    },
  });
  const two = refusing.stream();
  assert.deepEqual(two.do("publish", "cam", "append"), ["Publish.Start", "Record.NoAccess"]);
  assert.ok(refusing.hub.publications.get("cam")!.publishing);
  const off = stage({}, false).stream();
  assert.deepEqual(off.do("publish", "cam", "record"), ["Publish.Start", "Record.NoAccess"]);
});

Deno.test("VOD-003, VOD-004 NetStream plays a live stream for a length, and reports a missing publisher", () => {
  const { stream, hub, pass } = stage();
  const one = stream();
  one.do("play", "cam", -1, 3_000);
  pass(4_000);
  hub.manage();
  assert.deepEqual(one.told(), ["Play.StreamNotFound"]);
  const two = stream();
  two.do("play", "cam", -1, 1_000);
  const cam = hub.publishFromScript("cam");
  for (let time = 0; time <= 2_000; time += 100) {
    cam.pushAudio(time, Uint8Array.of(0x2f, time / 100));
  }
  assert.deepEqual(two.told(), ["Play.PublishNotify"]);
  hub.manage();
  assert.deepEqual(two.told(), ["Play.Complete", "Play.Stop", "event 1"]);
  assert.equal(cam.listeners.size, 0);
});

Deno.test("VOD-080 NetConnection answers getStreamLength with the seconds of a recording unless a script defines it", () => {
  const lengths = (steps: Parameters<typeof flashWorld>[0] = {}) => {
    const { pass, stream } = stage(steps);
    const { client } = stream();
    const answers: string[] = [];
    for (const name of ["film", "flv:next.flv", "none", "../film", 5]) {
      answers.push(...client.call("getStreamLength", 7, name));
      pass(0);
      answers.push(...client.session.take());
    }
    return answers.map((line) => /_result 7 (.*)$/.exec(line)?.[1] ?? line);
  };
  assert.deepEqual(lengths(), ["9.75", "9.75", "0", "0", "0"]);
  const own = lengths({
    call: (client, name) => {
      if (name === "getStreamLength") client.writer.result(encodeAmf(1));
      return name === "getStreamLength";
    },
  });
  assert.deepEqual(own, ["1", "1", "1", "1", "1"]);
});
