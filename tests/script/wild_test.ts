// Runs the scripts in tests/conformance/scripts, which are written like those in use.
import assert from "node:assert/strict";
import {
  AmfReader,
  decodeAmf,
  encodeAmf,
  type Externalizable,
  TypedObject,
} from "../../src/amf/mod.ts";
import { fromUtf8 } from "../../src/bytes/text.ts";
import type { Peer } from "../../src/cluster/roster.ts";
import { Frame } from "../../src/media/frame.ts";
import { Machine } from "./machine.ts";

const script = (name: string): string =>
  Deno.readTextFileSync(new URL(`../conformance/scripts/${name}.lua`, import.meta.url));

/** A machine whose root application is a script of the collection. */
function run(name: string, files: Record<string, string> = {}): Machine {
  const machine = new Machine({ "main.lua": script(name), ...files }).start();
  assert.deepEqual(machine.logged("error"), []);
  return machine;
}

function quiet(machine: Machine): void {
  assert.deepEqual([...machine.logged("error"), ...machine.logged("warn")], []);
}

Deno.test("The script meeting.lua announces participants and forwards their messages", () => {
  const machine = run("meeting");
  const [tom, ann] = ["Tom", "Ann"].map((name) => machine.connect("", { values: [name, "room"] }));
  const bob = machine.connect("", { values: ["Bob", "room"] });
  assert.equal(machine.refused(), "a name is wanted");
  assert.ok(fromUtf8(ann.members!).includes("Hello Ann"));
  assert.deepEqual(tom.call("getParticipants", "room"), [
    `_result([{"farId":"${ann.client.id}","userName":"Ann"},{"farId":"${bob.client.id}","userName":"Bob"}])`,
  ]);
  assert.deepEqual(ann.call("sendMessage", "hi", 1, 2), ["_result(3)"]);
  machine.hub.disconnect(bob.client);
  assert.deepEqual(tom.connection.made[0].sent.map((text) => text.slice(0, 6)), [
    ...["onJoin", "onJoin", "onMess", "onLeav"],
  ]);
  assert.equal(tom.connection.made[0].sent[2], 'onMessage("Ann","hi",2)');
  assert.equal(machine.applications.rows().next().value?.refusals.connect, 1);
});

Deno.test("The script text_tools.lua splits, joins and formats texts as in Lua 5.1", () => {
  const machine = run("text_tools");
  assert.deepEqual(machine.said(), [
    "a b|x",
    "a/b//c7",
    "true00FF617A(true)",
    "a+b%26c%0D%0A",
    '{1,"two",{3},["x"]=true}',
    "1two\n30.5",
    "2.35 4 2 7 of 3 3",
    "5 1000 1024",
    "one",
    "two",
    "30",
    "a0b1",
    "(true) 123",
  ]);
});

Deno.test("The script classes.lua serves players as objects of classes", () => {
  const machine = run("classes");
  const [tom, ann] = ["Tom", "Ann"].map((name) => machine.connect("", { values: [name] }));
  assert.deepEqual(tom.connection.writer.sent, ['start(2,"Player Tom")']);
  assert.deepEqual([tom.call("next"), ann.call("next"), tom.call("next")], [
    ["yourTurn(0)", '_result("Tom")'],
    ["yourTurn(0)", '_result("Ann")'],
    ["yourTurn(0)", '_result("Tom")'],
  ]);
  assert.deepEqual([tom.call("score", 3), ann.call("score", 5), tom.call("best")], [
    ["_result(3)"],
    ["_result(5)"],
    ['_result("Ann")'],
  ]);
  quiet(machine);
});

Deno.test("The script playlist.lua plays a stream of a list, limits listeners and writes a history", () => {
  const machine = run("playlist", { "list.txt": "# titles\nfirst = 12\nsecond=7\n\nbad\n" });
  const guest = machine.connect();
  const heard: string[] = [];
  machine.play(guest, "radio", {
    send: ({ kind, payload }, time) => void heard.push(`${kind} ${time} ${payload.at(-1)}`),
  }).start();
  machine.play(guest, "radio");
  assert.throws(() => machine.play(guest, "radio"), /full/);
  machine.hub.manage();
  assert.deepEqual(heard, ["audio 0 1", "audio 23 2", "audio 46 3", "data 0 116"]);
  machine.applications.stop();
  const { files } = machine.host;
  assert.equal(files.read("/srv/www/list.txt", Infinity), undefined);
  assert.equal(
    fromUtf8(files.read("/srv/www/history.txt", Infinity) as Uint8Array),
    "2023-11-14 22:13:20 192.0.2.1:4000 listens to radio\n".repeat(2),
  );
  assert.deepEqual([...machine.hub.published()], []);
  assert.deepEqual(machine.logged("note"), ["192.0.2.1:4000 may not play radio: full"]);
});

interface TestPeer extends Peer {
  readonly sent: string[];
}

function peer(address: string, isTarget: boolean): TestPeer {
  const sent: string[] = [];
  return {
    address,
    publicAddress: `public.${address}`,
    isTarget,
    properties: new Map(),
    sent,
    send: (handler, payload) =>
      void sent.push(`${handler} ${decodeAmf(payload).map((value) => typeof value).join(" ")}`),
  };
}

function link(machine: Machine, ...peers: Peer[]): void {
  for (const peer of peers) {
    machine.host.roster.add(peer);
    machine.applications.onServerConnection(peer);
  }
}

Deno.test("The script cluster_groups.lua shares groups with other servers, and redirects clients", () => {
  const machine = run("cluster_groups");
  const guest = machine.connect();
  const group = new Uint8Array(32).fill(200);
  const member = machine.hub.groups.join(guest.client, group, { announce: () => {} });
  const [one, two] = [peer("a:1", true), peer("b:2", false)];
  link(machine, one, two);
  assert.deepEqual(one.sent, ["join string string"]);
  const far = new Uint8Array(32).fill(201);
  const call = (handler: string) => {
    const message = [2, 0, 32, ...group, 2, 0, 32, ...far];
    machine.applications.onServerMessage(one, handler, new Uint8Array(message));
  };
  call("join");
  assert.equal(member.group.members.length, 2);
  call("unjoin");
  call("unjoin");
  assert.equal(member.group.members.length, 1);
  call("join");
  machine.host.roster.remove(one);
  machine.applications.onServerDisconnection(one);
  assert.equal(member.group.members.length, 1);
  machine.hub.groups.leave(member);
  assert.deepEqual(two.sent, ["join string string", "unjoin string string"]);
  const handshake = (attempts: number, properties: Record<string, string> = {}) =>
    machine.applications.handshake({
      address: "192.0.2.1:1",
      path: "",
      properties: new Map(Object.entries(properties)),
      attempts,
      url: "me:1935",
    });
  assert.deepEqual(handshake(1), ["public.b:2"]);
  assert.deepEqual(handshake(3, { acceptableAttempts: "2" }), ["public.b:2", "me:1935"]);
  assert.deepEqual(machine.applications.rendezvousUnknown(far), ["public.b:2"]);
  quiet(machine);
});

Deno.test("The script relay.lua passes publications on to other servers", () => {
  const machine = run("relay");
  const [target, previous] = [peer("next:1", true), peer("before:2", false)];
  link(machine, target, previous);
  const guest = machine.connect();
  const publisher = machine.publish(guest, "mine");
  const key = new Uint8Array([0x17, 1, 0, 0, 0, 9]);
  publisher.video(new Frame("video", 5, key), { received: 1, lost: 0, ping: 5 });
  publisher.data(new Frame("data", 0, encodeAmf("x"), "onText"));
  machine.hub.unpublish(publisher);
  assert.deepEqual(target.sent, [
    "publish string",
    "video string number string",
    "data string string string",
    "unpublish string",
  ]);
  const call = (handler: string, ...values: Parameters<typeof encodeAmf>) =>
    machine.applications.onServerMessage(previous, handler, encodeAmf(...values));
  call("publish", "theirs");
  const frames: string[] = [];
  machine.play(guest, "theirs", { send: ({ kind }) => void frames.push(kind) }).start();
  machine.applications.onServerMessage(
    previous,
    "video",
    new Uint8Array([...encodeAmf("theirs", 7), 2, 0, 6, ...key]),
  );
  call("data", "theirs", "onText", "");
  assert.deepEqual(frames, ["video", "data"]);
  assert.throws(() => machine.play(guest, "theirs"), { description: "public.next:1" });
  machine.host.roster.remove(previous);
  machine.applications.onServerDisconnection(previous);
  assert.deepEqual([...machine.hub.published()], []);
});

Deno.test("The script modules.lua loads modules, and reads and writes typed objects", () => {
  const machine = run("modules", {
    "counter.lua":
      "module('counter', package.seeall) local n = 0 function next() n = n + 1 return tostring(n) end",
    "tools.lua":
      "local M = {} function M.map(list, f) local r = {} for i, v in ipairs(list) do r[i] = f(v) end return r end return M",
    "settings.lua": "settings = { volume = 11 }",
  });
  const guest = machine.connect();
  const cat = new TypedObject("Cat", { name: "Tom" });
  assert.deepEqual(guest.call("listen", cat), ['_result("Tom says meow 11 to 1")']);
  assert.deepEqual(guest.call("double", [1, 2.5]), ["_result([2,5])"]);
  const pair: Externalizable = {
    externalizable: "Pair",
    writeExternal: (writer) => void writer.writeValue("left").writeValue("right"),
  };
  const answers: Uint8Array[] = [];
  guest.connection.writer.result = (values) => answers.push(values);
  guest.client.application.call(guest.client, "turn", new AmfReader(encodeAmf(pair)));
  assert.match(fromUtf8(answers[0]), /Pair.*right.*left/s);
  quiet(machine);
});

Deno.test("The script watch.lua checks tokens, limits clients of an address, and disconnects slow ones", () => {
  const machine = run("watch");
  const token = "9f6ec6f3b8c5c8f2dbb9ee5d7d4f0b5e";
  assert.equal(token.length, 32);
  const md5 = [...machine.host.md5(new TextEncoder().encode("secretTom"))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const properties = { user: "Tom", token: md5 };
  const [one, two] = [1, 2].map(() => machine.connect("", { properties }));
  assert.throws(() => machine.connect("", { properties }), {
    description: "only 2 from 192.0.2.1",
  });
  assert.throws(() => machine.connect("", { properties: { user: "Tom", token } }), {
    description: "wrong token",
  });
  machine.publish(one, "live");
  assert.deepEqual(two.call("report"), ['_result({"live":{"dropped":0,"listeners":0,"lost":0}})']);
  two.connection.ping = 2000;
  machine.hub.manage();
  assert.ok(two.connection.writer.closed && !one.connection.writer.closed);
  machine.host.lines.length = 0;
  machine.hub.disconnect(two.client, "the main writer was closed");
  assert.deepEqual(machine.logged("info"), ["Tom stayed 0 s"]);
  one.call("ban", "192.0.2.1");
  assert.equal(machine.hub.clients.size, 0);
});
