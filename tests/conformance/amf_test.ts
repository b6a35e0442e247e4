// AMF-001 to AMF-133, API-460 and API-461: values between clients, bytes and Lua.
import assert from "node:assert/strict";
import {
  AmfDictionary,
  type AmfValue,
  AmfVector,
  type AmfWriter,
  AmfXml,
  type Externalizable,
  MixedArray,
  TypedObject,
} from "../../src/amf/mod.ts";
import { fromHex } from "../../src/bytes/hex.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { MessageType, writeMessage } from "../../src/tc/format/messages.ts";
import { probe } from "./support/probe.ts";
import { type FactContext, scenario } from "./support/scenario.ts";
import { WireClient } from "./support/wire_client.ts";

const main = `${probe}
function onConnection(client)
  probe(client)
  client.added = "by the script"
  function client:echo(...) return ... end
  function client:kinds(...)
    local kinds = {}
    for i = 1, select("#", ...) do kinds[i] = type((select(i, ...))) end
    return table.concat(kinds, " ")
  end
end
seen = {}
function onTypedObject(type, object)
  local fields = 0
  for _ in pairs(object) do fields = fields + 1 end
  seen[#seen + 1] = { type = type, fields = fields, object = object, name = object.name }
  if type == "Ext" or type == "flex.messaging.io.ArrayCollection" then
    function object:__readExternal(reader) self.source = reader:readAMF(1) end
    function object:__writeExternal(writer) writer:writeAMF(self.source) end
  elseif type == "Bytes" then
    function object:__readExternal(reader)
      self.before = reader.bytesAvailable
      self.results = { readBytes(reader) }
      self.after = reader.bytesAvailable
    end
  end
end
function show(value)
  if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value) or tostring(value) end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do
    local member = value[key]
    parts[i] = tostring(key) .. "=" .. (type(member) == "function" and "f" or show(member))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end
`;

/** What `toAMF` makes of Lua values. */
const toAMF = (t: FactContext, values: string): Promise<string> =>
  t.lua(`return hex(cumulus:toAMF(${values}))`);
const toAMF0 = (t: FactContext, values: string): Promise<string> =>
  t.lua(`return hex(cumulus:toAMF0(${values}))`);

/** What `fromAMF` makes of bytes, as text. */
const fromAMF = (t: FactContext, hex: string): Promise<string> =>
  t.lua(
    `local values = { n = 0 }
    local function take(...)
      values.n = select("#", ...)
      for i = 1, values.n do values[i] = show((select(i, ...))) end
    end
    take(cumulus:fromAMF(unhex(select(2, ...))))
    return table.concat(values, " ", 1, values.n)`,
    hex,
  );

/** What arrives in Lua of a value that a client sends, as text. */
const arrives = (t: FactContext, value: AmfValue): Promise<string> =>
  t.lua("return show((select(2, ...)))", value);

const external = (type: string, write: (writer: AmfWriter) => void): Externalizable => ({
  externalizable: type,
  writeExternal: write,
});

/** Runs Lua that reads from a ByteReader over bytes; returns its results. */
async function reads(t: FactContext, hex: string, lua: string): Promise<AmfValue> {
  await t.lua(`function readBytes(reader) ${lua} end`);
  const value = external("Bytes", (writer) => writer.raw.bytes(fromHex(hex.replaceAll(" ", ""))));
  return await t.lua("return (select(2, ...)).results", value);
}

/** The bytes that Lua writes to a ByteWriter. */
const writes = (t: FactContext, lua: string): Promise<string> =>
  t.lua(`
    local object = { __type = "Ext", __writeExternal = function(self, writer) ${lua} end }
    return hex(cumulus:toAMF(object)):sub(15)`); // 11 0A 07, 07 and 3 bytes of the name

const hex = (text: string) => text.replaceAll(" ", "");

async function wire(t: FactContext): Promise<WireClient> {
  const client = await WireClient.connect(t.server.port);
  t.cleanup(() => client.close());
  return client;
}

/** AMF0 of a command: its name, and number of the call. */
const command = (name: string, transaction: number) => {
  const text = toUtf8(name);
  const number = new Uint8Array(9);
  new DataView(number.buffer).setFloat64(1, transaction);
  return [2, 0, text.length, ...text, ...number];
};

scenario("AMF", { www: { "": main } }, ({ fact }) => {
  // The wire

  fact("AMF-001", async (t) => {
    assert.equal(await fromAMF(t, "02 0001 61  11 06 03 62  02 0001 63"), `"a" "b" "c"`);
    const client = await wire(t);
    const body = [...command("kinds", 900), 5, 0x11, 6, 3, 0x61, 1, 1, 0x11, 4, 5];
    client.send(writeMessage(MessageType.command, 0, Uint8Array.from(body)));
    assert.deepEqual((await client.answer(900)).values, ["string boolean number"]);
  });

  fact("AMF-002", async (t) => {
    assert.equal(
      await toAMF(t, "127, 128, 16383, 16384, 2097151, 2097152"),
      hex(
        "11047F 11048100 1104FF7F 1104818000 1104FFFF7F 110480C08000",
      ),
    );
    assert.equal(await fromAMF(t, "00 4059000000000000 1104FFFFFFFE"), "100 -2");
  });

  fact("AMF-003", async (t) => {
    assert.equal(await toAMF(t, `"word", { "word" }`), hex("11 0609776F7264 11 090301 0600"));
    assert.equal(await fromAMF(t, "11 0609776F7264  11 0600"), `"word" "word"`);
    assert.equal(await toAMF(t, `"word"`), hex("11 0609776F7264"), "the next message starts empty");
  });

  fact("AMF-004", async (t) => {
    assert.equal(await toAMF(t, `"", "x", "", "x"`), hex("110601 11060378 110601 110600"));
    // an array, 0, with a date, 1, and an object, 2, which is there again by its number
    assert.equal(
      await t.lua(
        `local list = cumulus:fromAMF(unhex(select(2, ...)))
        return list[1].__time == 0 and list[2].x == 1 and list[2] == list[3]`,
        "11 09 07 01 08 01 0000000000000000 0A 0B 01 03 78 0401 01 0A 04",
      ),
      true,
    );
  });

  fact("AMF-005", async (t) => {
    const client = await wire(t);
    const values = (
      transaction: number,
    ) => [...command("echo", transaction), 5, 0, ...Array(8).fill(0)];
    client.send(writeMessage(MessageType.command, 0, Uint8Array.from(values(901))));
    assert.deepEqual((await client.answer(901)).values, [0]);
    client.send(writeMessage(MessageType.commandAmf3, 0, Uint8Array.from([0, ...values(902)])));
    assert.deepEqual((await client.answer(902)).values, [0]);
    const answer = await client.messages.find(
      ({ type }) => type === MessageType.command,
      "an answer",
    );
    assert.deepEqual([answer.timestamp, answer.payload[0]], [0, 2]);
  });

  fact("AMF-006", async (t) => {
    const client = await wire(t);
    assert.deepEqual((await client.call("kinds", null, "a", 1)).values, ["string number"]);
    assert.deepEqual((await client.call("kinds", { some: "object" }, "a", 1)).values, [
      "string number",
    ]);
  });

  fact("AMF-010", async (t) => {
    assert.equal(await fromAMF(t, "00 3FF8000000000000"), "1.5");
    assert.equal(await toAMF0(t, "1.5, 3"), hex("003FF8000000000000 004008000000000000"));
  });

  fact("AMF-011", async (t) => {
    assert.equal(await fromAMF(t, "0101 0100"), "true false");
    assert.deepEqual([await toAMF(t, "false"), await toAMF0(t, "true")], ["0100", "0101"]);
  });

  fact("AMF-012", async (t) => {
    assert.equal(await fromAMF(t, "02 0003 616263"), `"abc"`);
    assert.equal(await t.lua(`return hex(cumulus:toAMF0(("x"):rep(65535)):sub(1, 3))`), "02FFFF");
    assert.equal((await toAMF(t, `"abc"`)).slice(0, 4), "1106");
  });

  fact("AMF-013", async (t) => {
    assert.equal(await fromAMF(t, "03 0001 61 0101 0001 62 05 0000 09"), "{a=true}");
    assert.equal(await toAMF0(t, "{ a = true }"), hex("03 0001 61 0101 0000 09"));
  });

  fact("AMF-014", async (t) => {
    assert.equal(await fromAMF(t, "05 06"), "nil nil");
    assert.deepEqual([await toAMF(t, "nil"), await toAMF0(t, "nil")], ["05", "05"]);
  });

  fact("AMF-015", async (t) => {
    const same = await t.lua(
      `local a, b = cumulus:fromAMF(unhex(select(2, ...))) return a == b and a.x == true`,
      "03 0001 78 0101 0000 09  07 0000",
    );
    assert.equal(same, true);
    assert.equal(
      await toAMF0(t, "(function() local t = { x = 1 } return t, t end)()").then((bytes) =>
        bytes.includes("070000")
      ),
      false,
    );
  });

  fact("AMF-016", async (t) => {
    assert.equal(
      await fromAMF(t, "08 00000002 0001 78 0101 0001 30 0100 0000 09"),
      "{1=false,x=true}",
    );
  });

  fact("AMF-017", async (t) => {
    assert.equal(await fromAMF(t, "0A 00000003 0101 05 0100"), "{1=true,3=false}");
  });

  fact("AMF-018", async (t) => {
    const times = await t.lua(
      `local a, b = cumulus:fromAMF(unhex(select(2, ...))) return { a.__time, b.__time }`,
      "0B 408F400000000000 0000  0B 408F400000000000 FFC4",
    );
    assert.deepEqual(times, [1000, 1000]);
  });

  fact("AMF-019", async (t) => {
    assert.equal(await fromAMF(t, "0C 00000002 6869"), `"hi"`);
    assert.equal(
      await t.lua(`return hex(cumulus:toAMF0(("x"):rep(65536)):sub(1, 5))`),
      "0C00010000",
    );
  });

  fact("AMF-020", async (t) => {
    assert.equal(await fromAMF(t, "0D 0101"), "nil true");
    await t.logged(/^WARN/);
  });

  fact("AMF-021", async (t) => {
    assert.equal(await fromAMF(t, "10 0003 436174 0001 61 0101 0000 09"), `{__type="Cat",a=true}`);
  });

  fact("AMF-022", async (t) => {
    assert.equal(await fromAMF(t, "11 03 11 0407 05"), "true 7 nil");
    assert.equal(await toAMF0(t, `{ __raw = "a" }`), hex("11 0C 03 61"));
  });

  fact("AMF-023", async (t) => {
    assert.equal(await fromAMF(t, "0F 00000004 3C612F3E 0101"), `"<a/>" true`);
    assert.equal(await fromAMF(t, "0101 04 0101"), "true");
    await t.logged(/^ERROR/);
  });

  fact("AMF-030", async (t) => {
    assert.equal(await fromAMF(t, "1100 1101"), "nil nil");
    assert.equal(await toAMF(t, "{ 1, nil, 3 }"), hex("11 0907 01 0401 01 0403"));
  });

  fact("AMF-031", async (t) => {
    assert.equal(await fromAMF(t, "1102 1103"), "false true");
    assert.equal(await toAMF(t, "{ true, false }"), hex("11 0905 01 03 02"));
  });

  fact("AMF-032", async (t) => {
    assert.equal(
      await fromAMF(t, "1104BFFFFFFF 1104C0808000 1104FFFFFFFF"),
      "268435455 -268435456 -1",
    );
  });

  fact("AMF-033", async (t) => {
    assert.equal(await fromAMF(t, "1105 C004000000000000"), "-2.5");
    assert.equal(await toAMF(t, "{ 0.5 }"), hex("11 0903 01 05 3FE0000000000000"));
  });

  fact("AMF-034", async (t) => {
    assert.equal(await fromAMF(t, "11 0905 01 0605 6869 0600"), `{1="hi",2="hi"}`);
    assert.equal(await toAMF(t, `{ "hi", "hi" }`), hex("11 0905 01 0605 6869 0600"));
  });

  fact("AMF-035", async (t) => {
    assert.equal(
      await t.lua(
        "return cumulus:fromAMF(unhex(select(2, ...))).__time",
        "11 08 01 C08F400000000000",
      ),
      -1000,
    );
    assert.equal(await toAMF(t, "{ __time = -1000 }"), hex("11 08 01 C08F400000000000"));
  });

  fact("AMF-036", async (t) => {
    assert.equal(await fromAMF(t, "11 09 05 03 78 0401 01 0402 0403"), "{1=2,2=3,x=1}");
  });

  fact("AMF-037", async (t) => {
    // sealed members a and b, then a dynamic one
    assert.equal(await fromAMF(t, "11 0A 2B 01 0361 0362 0401 0402 0363 0403 01"), "{a=1,b=2,c=3}");
    assert.equal((await toAMF(t, "{ c = 3 }")).slice(0, 8), "110A0B01");
  });

  fact("AMF-038", async (t) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    assert.deepEqual(await t.lua("return { __raw = (select(2, ...)).__raw }", bytes), bytes);
  });

  fact("AMF-039", async (t) => {
    assert.equal(
      await t.lua(
        `local strong, weak = cumulus:fromAMF(unhex(select(2, ...)))
        return show(strong) .. " " .. tostring(getmetatable(strong)) .. " " .. getmetatable(weak).__mode`,
        "11 11 03 00 06 03 6B 0401  11 11 03 01 0402 06 03 76",
      ),
      `{__size=1,k=1} nil k`,
    );
  });

  fact("AMF-040", async (t) => {
    assert.equal(await arrives(t, new AmfXml("<a/>", false)), `"<a/>"`);
    assert.equal(await arrives(t, new AmfXml("<b/>", true)), `"<b/>"`);
    assert.equal(await arrives(t, new AmfVector("int", [3, -4])), "{1=3,2=-4}");
    assert.equal(await arrives(t, new AmfVector("double", [0.5])), "{1=0.5}");
    assert.equal(
      await arrives(t, new AmfVector("object", ["x", "y"], false, "String")),
      `{1="x",2="y"}`,
    );
  });

  // AMF to Lua

  fact("AMF-050", async (t) => {
    assert.deepEqual(
      await t.lua(
        `return { select("#", ...) - 1, select(2, ...) == nil, (select(3, ...)), type((select(4, ...)).gone) }`,
        null,
        "x",
        { gone: null },
      ),
      [3, true, "x", "nil"],
    );
  });

  fact("AMF-051", async (t) => {
    assert.equal(
      await t.operator!.call("kinds", true, 7, 1.5, "text", 1e100),
      "boolean number number string number",
    );
    assert.deepEqual(await t.lua("return { select(2, ...) }", false, -7, 1.5, "ä\0b"), [
      false,
      -7,
      1.5,
      "ä\0b",
    ]);
  });

  fact("AMF-052", async (t) => {
    assert.equal(await arrives(t, { b: { c: "x" }, a: 1 }), `{a=1,b={c="x"}}`);
  });

  fact("AMF-053", async (t) => {
    assert.equal(
      await arrives(t, new TypedObject("Cat", { name: "Tom" })),
      `{__type="Cat",name="Tom"}`,
    );
  });

  fact("AMF-054", async (t) => {
    assert.equal(await arrives(t, new MixedArray({ x: 1, "5": "b" }, ["a"])), `{1="a",2="b",x=1}`);
    assert.equal(await arrives(t, ["a", "b"]), `{1="a",2="b"}`);
  });

  fact("AMF-055", async (t) => {
    assert.equal(
      await arrives(t, new Date(Date.UTC(2012, 1, 29, 13, 5, 7, 250))).then((text) =>
        text.replace(/isdst=\w+,/, "")
      ),
      `{__time=1330520707250,day=29,hour=13,min=5,month=2,msec=250,sec=7,wday=4,yday=60,year=2012}`,
    );
    assert.equal(await t.lua("return (select(2, ...)).__time", new Date(-1)), -1);
  });

  fact("AMF-056", async (t) => {
    assert.equal(await arrives(t, toUtf8("bytes")), `{__raw="bytes"}`);
  });

  fact("AMF-057", async (t) => {
    const pairs: [AmfValue, AmfValue][] = [["k", 1], [2, "two"], [true, "yes"], [null, "lost"], [
      NaN,
      "lost",
    ]];
    assert.equal(
      await arrives(t, new AmfDictionary(pairs)),
      `{2="two",__size=3,k=1,true="yes"}`,
    );
  });

  fact("AMF-058", async (t) => {
    const shared = { name: "one" };
    const cycle: Record<string, AmfValue> = { shared, again: shared };
    cycle.self = cycle;
    assert.equal(
      await t.lua("local c = select(2, ...) return c.self == c and c.shared == c.again", cycle),
      true,
    );
  });

  fact("AMF-059", async (t) => {
    assert.equal(await fromAMF(t, "0101 7A 0101"), "true");
    await t.logged(/^ERROR .*(7a|122)/i);
  });

  fact("AMF-060", async (t) => {
    await t.lua("seen = {}");
    await t.lua("return 1", new TypedObject("Ready", { name: "there" }));
    assert.deepEqual(await t.lua("return { seen[1].type, seen[1].name }"), ["Ready", "there"]);
  });

  fact("AMF-061", async (t) => {
    await t.lua("seen = {}");
    const value = external("Ext", (writer) => writer.writeValue("inside"));
    assert.equal(await t.lua("return (select(2, ...)).source", value), "inside");
    assert.deepEqual(await t.lua("return { seen[1].type, seen[1].fields }"), ["Ext", 1]);
  });

  fact("AMF-062", async (t) => {
    const strange = external("Strange", (writer) => writer.raw.u8(1).u8(2).u8(3));
    const answer = await t.operator!.call("kinds", "before", strange, "after").catch(String);
    assert.ok(!String(answer).includes("string userdata"), String(answer));
    await t.logged(/^ERROR .*Strange/);
    assert.equal(await t.lua("return 'still serving'"), "still serving");
  });

  fact("AMF-063", async (t) => {
    const collection = external(
      "flex.messaging.io.ArrayCollection",
      (writer) => writer.writeValue([1, "two"]),
    );
    const bytes = await t.lua("return hex(cumulus:toAMF((select(2, ...))))", collection);
    assert.equal(
      bytes,
      "110A07" + "43" +
        [...toUtf8("flex.messaging.io.ArrayCollection")].map((b) => b.toString(16).padStart(2, "0"))
          .join("").toUpperCase() +
        "0905010401060774776F",
    );
  });

  fact("AMF-064", async (t) => {
    const order = await t.lua(
      `local object = cumulus:fromAMF(unhex(select(2, ...))) return show(object)`,
      "11 0A 2B 07436174 0361 0362 0401 0402 0363 0403 01",
    );
    assert.equal(order, `{__type="Cat",a=1,b=2,c=3}`);
  });

  // Lua to AMF: the client's values

  const gets = (t: FactContext, value: string) => t.lua(`return ${value}`);

  fact("AMF-070", async (t) => {
    assert.equal(await gets(t, "nil"), null);
    assert.deepEqual(await gets(t, "{ 1, nil, 2 }"), [1, null, 2]);
  });

  fact("AMF-071", async (t) => {
    assert.deepEqual([await gets(t, "true"), await gets(t, "false")], [true, false]);
  });

  fact("AMF-072", async (t) => {
    assert.equal(await toAMF(t, "-268435456, 3.0"), hex("1104C0808000 110403"));
    assert.equal((await toAMF(t, "-268435457")).slice(0, 2), "00");
    assert.equal(await toAMF(t, "-0.0, 1/0"), hex("008000000000000000 007FF0000000000000"));
    assert.deepEqual(await gets(t, "{ 268435456, -268435457, 0.1 }"), [268435456, -268435457, 0.1]);
  });

  fact("AMF-073", async (t) => {
    assert.equal(await toAMF(t, `"\\0\\255"`), hex("11 06 05 00FF"));
    assert.deepEqual([await gets(t, `""`), await gets(t, `"äöü"`)], ["", "äöü"]);
  });

  fact("AMF-074", async (t) => {
    assert.deepEqual(await gets(t, `{ __raw = "\\1\\2", other = 1 }`), Uint8Array.of(1, 2));
  });

  fact("AMF-075", async (t) => {
    assert.deepEqual(
      await gets(t, "{ __time = 1234567890123, year = 1 }"),
      new Date(1234567890123),
    );
    assert.deepEqual(await gets(t, "{ __time = 5, __size = 1 }"), new Date(5));
  });

  fact("AMF-076", async (t) => {
    const weak = await t.lua(
      "return setmetatable({ __size = 99, k = 1, [2] = 'b' }, { __mode = 'k' })",
    );
    assert.ok(weak instanceof AmfDictionary && weak.weak);
    assert.deepEqual([...weak].toSorted(), [[2, "b"], ["k", 1]]);
  });

  fact("AMF-077", async (t) => {
    assert.equal(
      await toAMF(t, `{ __type = "E", __writeExternal = function(self, w) w:writeByte(7) end }`),
      hex("11 0A 07 03 45 07"),
    );
  });

  fact("AMF-078", async (t) => {
    const cat = await gets(t, `{ __type = "Cat", name = "Tom", [7] = "skipped" }`);
    assert.ok(cat instanceof TypedObject);
    assert.deepEqual([cat.type, { ...cat.members }], ["Cat", { name: "Tom" }]);
    await t.logged(/^WARN/);
  });

  fact("AMF-079", async (t) => {
    const array = await gets(t, "{ 10, 20, x = 1, [9] = 'far', __type = nil }");
    assert.ok(array instanceof MixedArray);
    assert.deepEqual(array.dense, [10, 20]);
    assert.deepEqual({ ...array.named }, { x: 1, "9": "far" });
  });

  fact("AMF-080a", async (t) => {
    assert.deepEqual(await gets(t, "{ a = 1, b = { c = 2 } }"), { a: 1, b: { c: 2 } });
  });

  fact("AMF-080b", async (t) => {
    assert.deepEqual(await gets(t, "{}"), []);
    assert.equal(await toAMF(t, "{ [5] = 1 }"), "11090101");
    assert.equal(await toAMF(t, "{ [true] = 1, [{}] = 2 }"), "11090101");
    assert.ok((await t.matching(/^WARN/)).length >= 2);
  });

  fact("AMF-080c", async (t) => {
    assert.equal(await gets(t, "print"), null);
    assert.match(await t.logged(/^WARN/), /function/);
    assert.equal(await gets(t, "coroutine.create(print)"), null);
    await t.logged(/^WARN .*thread/);
  });

  fact("AMF-080d", async (t) => {
    const client = await gets(t, "(...)");
    assert.equal(client.added, "by the script");
    assert.equal("id" in client || "address" in client, false);
  });

  fact("AMF-080e", async (t) => {
    const gets = (t: FactContext, value: string) =>
      t.operator!.connection.call("lua", `return ${value}`); // as it comes: it has no end
    // deno-lint-ignore no-explicit-any
    const cycle: any = await gets(
      t,
      "(function() local t = { x = 1 } t.self, t.list = t, { t } return t end)()",
    );
    assert.ok(cycle.self === cycle && cycle.list[0] === cycle);
    assert.equal(
      await toAMF(t, "(function() local t = { x = 1 } t.self = t return { t } end)()").then((
        bytes,
      ) => bytes.includes("0A02")),
      true,
    );
  });

  fact("AMF-080f", async (t) => {
    const members = await gets(t, "{ d = 4, a = 1, c = 3, b = 2 }");
    assert.deepEqual(Object.entries(members).toSorted(), [["a", 1], ["b", 2], ["c", 3], ["d", 4]]);
  });

  fact("AMF-080g", async (t) => {
    assert.deepEqual(
      await gets(t, "{ __custom = 1, __readExternal = function() end, plain = 2 }"),
      { __custom: 1, plain: 2 },
    );
    assert.deepEqual(await t.matching(/^WARN/), []);
  });

  // ByteReader

  fact("AMF-081", async (t) => {
    const lua = "return reader:readBoolean(), reader:readBoolean(), reader:readBoolean()";
    assert.deepEqual(await reads(t, "00 01 FF", lua), [false, true, true]);
  });

  fact("AMF-082", async (t) => {
    const lua = "return reader:readByte(), reader:readShort(), reader:readInt(), reader:readByte()";
    assert.deepEqual(await reads(t, "FF FFFE FFFFFFFD 7F", lua), [-1, -2, -3, 127]);
  });

  fact("AMF-083", async (t) => {
    const lua =
      "return reader:readUnsignedByte(), reader:readUnsignedShort(), reader:readUnsignedInt()";
    assert.deepEqual(await reads(t, "FF FFFE FFFFFFFD", lua), [255, 65534, 4294967293]);
  });

  fact("AMF-084", async (t) => {
    const lua = "return reader:readFloat(), reader:readDouble()";
    assert.deepEqual(await reads(t, "3FC00000 C004000000000000", lua), [1.5, -2.5]);
  });

  fact("AMF-085", async (t) => {
    assert.deepEqual(
      await reads(t, "0003 61C3A4 0000", "return reader:readUTF(), reader:readUTF()"),
      ["aä", ""],
    );
  });

  fact("AMF-086", async (t) => {
    const lua = "return reader:readUTFBytes(2), hex(reader:readBytes(3))";
    assert.deepEqual(await reads(t, "6869 00FF80", lua), ["hi", "00FF80"]);
  });

  fact("AMF-087", async (t) => {
    const lua =
      `return reader:readMultiByte(2, "iso-8859-1"), reader:readMultiByte(1, "windows-1252"),
      reader:readMultiByte(1, "iso-8859-15"), reader:readMultiByte(2, "utf-8")`;
    assert.deepEqual(await reads(t, "E4F6 80 A4 C3BC", lua), ["äö", "€", "€", "ü"]);
  });

  fact("AMF-088", async (t) => {
    const lua = "local a = reader:readAMF() local b, c = reader:readAMF(2) return a, b, c";
    assert.deepEqual(await reads(t, "0401 060378 03", lua), [1, "x", true]);
  });

  fact("AMF-089", async (t) => {
    const lua = `
      local before = reader.bytesAvailable
      reader:readShort()
      local after = reader.bytesAvailable
      reader:readByte()
      return before - after, after >= 1`;
    assert.deepEqual(await reads(t, "0102 03", lua), [2, true]);
  });

  // ByteWriter

  fact("AMF-091", async (t) => {
    assert.equal(await writes(t, "writer:writeBoolean(true) writer:writeBoolean(false)"), "0100");
  });

  fact("AMF-092", async (t) => {
    const lua = `writer:writeByte(-1) writer:writeShort(65536 + 258) writer:writeInt(-2)
      writer:writeUnsignedInt(4294967295) writer:writeUnsignedByte(255) writer:writeUnsignedShort(65534)`;
    assert.equal(await writes(t, lua), hex("FF 0102 FFFFFFFE FFFFFFFF FF FFFE"));
  });

  fact("AMF-093", async (t) => {
    assert.equal(
      await writes(t, "writer:writeFloat(1.5) writer:writeDouble(-2.5)"),
      hex("3FC00000 C004000000000000"),
    );
  });

  fact("AMF-094", async (t) => {
    assert.equal(
      await writes(t, `writer:writeUTF("aä") writer:writeUTF("")`),
      hex("0003 61C3A4 0000"),
    );
  });

  fact("AMF-095", async (t) => {
    assert.equal(
      await writes(t, `writer:writeUTFBytes("hi") writer:writeBytes("\\0\\255")`),
      hex("6869 00FF"),
    );
  });

  fact("AMF-096", async (t) => {
    const lua = `writer:writeMultiByte("äö", "latin1") writer:writeMultiByte("€", "windows-1252")
      writer:writeMultiByte("€", "iso-8859-15")`;
    assert.equal(await writes(t, lua), hex("E4F6 80 A4"));
  });

  fact("AMF-097", async (t) => {
    assert.equal(await writes(t, `writer:writeAMF(1, "x", true, nil)`), hex("0401 060378 03 01"));
  });

  fact("AMF-098", async (t) => {
    await t.lua(`
      refused = nil
      cumulus:toAMF({ __type = "E", __writeExternal = function(self, writer)
        refused = { pcall(writer.writeMultiByte, writer, "x", "klingon") }
      end })`);
    const [ok, problem] = await t.lua("return refused");
    assert.equal(ok, false);
    assert.match(problem, /klingon/);
  });

  fact("AMF-099", async (t) => {
    await t.lua("kept = {}");
    await reads(t, "01 02", "kept[1] = reader return reader:readByte(), reader:readByte()");
    const [ok, what] = await t.lua(`
      local reader = kept[1]
      if reader == nil then return { false, "nil" } end
      local ok, what = pcall(reader.readByte, reader)
      return { ok and what ~= nil, tostring(what) }`);
    assert.equal(ok, false, what);
  });

  fact("API-460", async (t) => {
    const lua = `
      local there = {}
      for i, name in ipairs { "readBoolean", "readByte", "readUnsignedByte", "readShort", "readUnsignedShort",
        "readInt", "readUnsignedInt", "readFloat", "readDouble", "readUTF", "readUTFBytes", "readMultiByte",
        "readBytes", "readAMF" } do there[i] = type(reader[name]) == "function" end
      reader:readByte()
      return #there, reader.readObject == nil, not table.concat({ tostring(unpack(there)) }):find("false")`;
    assert.deepEqual(await reads(t, "01", lua), [14, true, true]);
  });

  fact("API-461", async (t) => {
    const lua = `
      local there = {}
      for _, name in ipairs { "writeBoolean", "writeByte", "writeShort", "writeInt", "writeUnsignedInt",
        "writeFloat", "writeDouble", "writeUTF", "writeUTFBytes", "writeMultiByte", "writeBytes",
        "writeAMF" } do
        if type(writer[name]) == "function" then there[#there + 1] = name end
      end
      writer:writeByte(#there)`;
    assert.equal(await writes(t, lua), "0C");
  });

  // Vectors

  fact(
    "AMF-101",
    async (t) => assert.equal(await toAMF(t, `"hello"`), hex("11 06 0B 68 65 6C 6C 6F")),
  );
  fact("AMF-102", async (t) => assert.equal(await toAMF(t, `""`), hex("11 06 01")));
  fact("AMF-103", async (t) => {
    assert.equal(await toAMF(t, "5"), hex("11 04 05"));
    assert.equal(await toAMF(t, "-1"), hex("11 04 FF FF FF FF"));
  });
  fact("AMF-104", async (t) => {
    assert.equal(await toAMF(t, "268435455"), hex("11 04 BF FF FF FF"));
    assert.equal(await toAMF(t, "268435456"), hex("00 41 B0 00 00 00 00 00 00"));
  });
  fact(
    "AMF-105",
    async (t) => assert.equal(await toAMF(t, "1.5"), hex("00 3F F8 00 00 00 00 00 00")),
  );
  fact("AMF-106", async (t) => {
    assert.equal(await toAMF(t, "true"), hex("01 01"));
    assert.equal(await toAMF(t, "nil"), "05");
    assert.equal(await toAMF(t, ""), "");
  });
  fact("AMF-107", async (t) => assert.equal(await toAMF(t, "{}"), hex("11 09 01 01")));
  fact(
    "AMF-108",
    async (t) => assert.equal(await toAMF(t, "{10,20}"), hex("11 09 05 01 04 0A 04 14")),
  );
  fact(
    "AMF-109",
    async (t) => assert.equal(await toAMF(t, "{x=10}"), hex("11 0A 0B 01 03 78 04 0A 01")),
  );
  fact("AMF-110", async (t) => {
    assert.equal(await toAMF(t, "{x=10,100}"), hex("11 09 03 03 78 04 0A 01 04 64"));
  });
  fact("AMF-111", async (t) => {
    assert.equal(await toAMF(t, "{a={b=1}}"), hex("11 0A 0B 01 03 61 0A 0B 01 03 62 04 01 01 01"));
  });
  fact("AMF-112", async (t) => assert.equal(await toAMF(t, `{__raw="ab"}`), hex("11 0C 05 61 62")));
  fact("AMF-113", async (t) => {
    assert.equal(await toAMF(t, "{__time=905989690435}"), hex("11 08 01 42 6A 5E 26 32 88 60 00"));
  });
  fact("AMF-114", async (t) => {
    assert.equal(await toAMF(t, `{__size=1,k="v"}`), hex("11 11 03 00 06 03 6B 06 03 76"));
  });
  fact("AMF-115", async (t) => {
    assert.equal(await toAMF(t, `{__type="Cat",a=true}`), hex("11 0A 0B 07 43 61 74 03 61 03 01"));
  });
  fact(
    "AMF-116",
    async (t) => assert.equal(await toAMF(t, `"a","a"`), hex("11 06 03 61 11 06 00")),
  );
  fact("AMF-117", async (t) => {
    assert.equal(
      await toAMF(t, "(function() local t = {1} return t, t end)()"),
      hex("11 09 03 01 04 01 11 09 00"),
    );
  });
  fact("AMF-118", async (t) => {
    assert.equal(
      await toAMF(
        t,
        `{__type="Ext",__writeExternal=function(_, writer) writer:writeAMF("inside") end}`,
      ),
      hex("11 0A 07 07 45 78 74 06 0D 69 6E 73 69 64 65"),
    );
  });
  fact("AMF-121", async (t) => {
    assert.equal(await toAMF0(t, `"hello"`), hex("02 00 05 68 65 6C 6C 6F"));
    assert.equal(await toAMF0(t, `""`), hex("02 00 00"));
  });
  fact(
    "AMF-122",
    async (t) => assert.equal(await toAMF0(t, "5"), hex("00 40 14 00 00 00 00 00 00")),
  );
  fact("AMF-123", async (t) => {
    assert.equal(await toAMF0(t, "{x=10}"), hex("03 00 01 78 00 40 24 00 00 00 00 00 00 00 00 09"));
  });
  fact(
    "AMF-124",
    async (t) => assert.equal(await toAMF0(t, "{10,20}"), hex("11 09 05 01 04 0A 04 14")),
  );
  fact("AMF-125", async (t) => {
    assert.equal(await toAMF0(t, "{__time=0}"), hex("0B 00 00 00 00 00 00 00 00 00 00"));
  });
  fact("AMF-126", async (t) => {
    assert.equal(
      await toAMF0(t, `{__type="Cat",a=true}`),
      hex("10 00 03 43 61 74 00 01 61 01 01 00 00 09"),
    );
  });
  fact("AMF-131", async (t) => {
    assert.equal(
      await fromAMF(t, "11 08 01 42 6A 5E 26 32 88 60 00"),
      "{__time=905989690435,day=16,hour=23,isdst=false,min=48,month=9,msec=435,sec=10,wday=4,yday=259,year=1998}",
    );
  });
  fact("AMF-132", async (t) => {
    assert.equal(
      await t.lua(`
        local values = { n = select("#", cumulus:fromAMF(cumulus:toAMF(1, "a", true, nil, 2.5))) }
        local a, b, c, d, e = cumulus:fromAMF(cumulus:toAMF(1, "a", true, nil, 2.5))
        return values.n .. " " .. show({ a, b, c, "", e }) .. " " .. tostring(d)`),
      `5 {1=1,2="a",3=true,4="",5=2.5} nil`,
    );
  });
  fact("AMF-133", async (t) => {
    assert.equal(await t.lua(`return select("#", cumulus:fromAMF("\\6"))`), 1);
    assert.equal(await fromAMF(t, "06"), "nil");
  });
});
