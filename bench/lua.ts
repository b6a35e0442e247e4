// Cost of events, calls and API objects of scripts, as one JSON object: microseconds, medians of seven runs.
// deno run --allow-all bench/lua.ts
import { AmfReader, encodeAmf } from "../src/amf/mod.ts";
import type { Publication } from "../src/media/publication.ts";
import { Machine } from "../tests/script/machine.ts";
import { median } from "./support/numbers.ts";

const SCRIPT = `
function onConnection(client)
  function client:echo(value) return value end
  function client:nothing() end
end
function onVideoPacket(client, publication, time) end

function measureGetter(n)
  local publication = cumulus.publications("live")
  for i = 1, n do local id = publication.publisherId end
end
function measureText(n)
  local publication = cumulus.publications("live")
  for i = 1, n do local name = publication.name end
end
function measureField(n)
  local publication = cumulus.publications("live")
  publication.field = 1
  for i = 1, n do local field = publication.field end
end
function measureMethod(n)
  local publication = cumulus.publications("live")
  for i = 1, n do publication:flush() end
end
function measureFind(n)
  for i = 1, n do local at = ("some text to look into"):find("look", 1, true) end
end
function measureFormat(n)
  for i = 1, n do local text = string.format("%d %s", i, "x") end
end
function measureLoop(n) local sum = 0 for i = 1, n do sum = sum + i end end
function measureMessage(n)
  local writer = nil
  for _, client in cumulus.clients:pairs() do writer = client.writer end
  for i = 1, n do writer:writeAMFMessage("hello", i, "two") end
end
`;

const machine = new Machine({ "main.lua": SCRIPT });
const begun = performance.now();
machine.start();
const startup = performance.now() - begun;
const guest = machine.connect();
guest.connection.writer.result = () => {};
const publisher = machine.publish(guest, "live");
const { lua } = machine.applications.api;
const root = machine.applications.open("")!;

/** @returns median time (µs) of one turn */
function measure(turns: number, action: (turns: number) => void): number {
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    action(turns);
    times.push((performance.now() - start) * 1000 / turns);
  }
  return Number(median(times).toFixed(3));
}

/** @returns an action that calls a function of the script with the number of turns */
function inLua(name: string): (turns: number) => void {
  return (turns) => {
    const base = lua.enter();
    root.environment.pushOwn(lua.key(name));
    lua.pushNumber(turns);
    const error = lua.run(base, 0);
    if (error) throw error;
    lua.leave(base);
  };
}

const repeat = (action: () => void) => (turns: number) => {
  for (let i = 0; i < turns; i++) action();
};

const packet = new Uint8Array(1000);
const publication: Publication = publisher.publication;
const small = encodeAmf(1);
const large = encodeAmf("x".repeat(1000));
const object = encodeAmf({ name: "Tom", age: 42, tags: ["a", "b"], deep: { x: 1.5 } });

lua.pushRef(root.environment.ref);
lua.getField(-1, "measureLoop");
const empty = lua.ref();
lua.pop();

const results = {
  startupMs: Number(startup.toFixed(1)),
  eventThreeArguments: measure(
    50_000,
    repeat(() => {
      const base = lua.enter();
      lua.pushRef(empty);
      lua.pushNumber(0);
      lua.pushRef(empty);
      lua.pushBoolean(true);
      lua.run(base, 0);
      lua.leave(base);
    }),
  ),
  /** The same call by Lua's C API, as reference for the other figures. */
  rawThreeArguments: measure(
    50_000,
    repeat(() => {
      const { c, main } = lua;
      lua.pushRef(empty);
      c.lua_pushnumber(main, 0);
      c.lua_pushboolean(main, 1);
      c.lua_pushnumber(main, 0.5);
      c.lua_pcallk(main, 3, 0, 0, 0, 0);
    }),
  ),
  videoEvent1kB: measure(
    20_000,
    repeat(() => {
      guest.client.application.video(guest.client, publication, 40, packet);
    }),
  ),
  absentEvent: measure(
    50_000,
    repeat(() => {
      guest.client.application.audio(guest.client, publication, 40, packet);
    }),
  ),
  rpcNumber: measure(
    10_000,
    repeat(() => {
      guest.client.application.call(guest.client, "nothing", new AmfReader(small));
    }),
  ),
  rpc1kBOneWay: measure(
    10_000,
    repeat(() => {
      guest.client.application.call(guest.client, "nothing", new AmfReader(large));
    }),
  ),
  rpc1kBEcho: measure(
    10_000,
    repeat(() => {
      guest.client.application.call(guest.client, "echo", new AmfReader(large));
    }),
  ),
  rpcObjectOneWay: measure(
    10_000,
    repeat(() => {
      guest.client.application.call(guest.client, "nothing", new AmfReader(object));
    }),
  ),
  getterNumber: measure(50_000, inLua("measureGetter")),
  getterText: measure(50_000, inLua("measureText")),
  ownField: measure(50_000, inLua("measureField")),
  method: measure(50_000, inLua("measureMethod")),
  stringFind: measure(50_000, inLua("measureFind")),
  stringFormat: measure(20_000, inLua("measureFormat")),
  loopPerMillionMs: measure(300_000, inLua("measureLoop")) * 1000,
};
console.log(JSON.stringify(results, undefined, 1));
