// cumulus:toJSON and cumulus:fromJSON. API-143, API-144.
import assert from "node:assert/strict";
import { seeded } from "../support/random.ts";
import { Machine } from "./machine.ts";

/** The JSON of an expression, or the message. */
function written(expression: string, before = ""): string {
  const said = new Machine().run(`${before}
    local json, message = cumulus:toJSON(${expression})
    INFO(json or "! " .. message)`);
  return said[0];
}

Deno.test("toJSON writes each type of value as JSON", () => {
  const cases: [string, string][] = [
    ["", "null"],
    ["nil", "null"],
    ["true", "true"],
    ["12", "12"],
    ["-1.5", "-1.5"],
    ["2.0", "2"],
    ["1e300", "1e+300"],
    ["math.maxinteger", "9223372036854775807"],
    [`"a\\"\\\\\\n\\0ü€😀/"`, JSON.stringify('a"\\\n\0ü€😀/')],
    ["{}", "[]"],
    ["{ 1, 'two', { false } }", '[1,"two",[false]]'],
    ["{ 1, nil, 3 }", "[1,null,3]"],
    ["{ [3] = 'x' }", '[null,null,"x"]'],
    ["{ [1000] = 'x' }", '{"1000":"x"}'],
    ["{ [0] = 'x' }", '{"0":"x"}'],
    ["{ [1.5] = 'x' }", '{"1.5":"x"}'],
    ["{ name = 'Anna' }", '{"name":"Anna"}'],
    ["{ name = { } }", '{"name":[]}'],
    ["setmetatable({}, { __jsontype = 'object' })", "{}"],
    ["setmetatable({ 1 }, { __jsontype = 'object' })", "[1]"],
    ["{ 1, none, 2 }, none", "[1,null,2]"],
    ["{ a = none }, none", '{"a":null}'],
  ];
  for (const [expression, json] of cases) {
    assert.equal(written(expression, "none = {}"), json, expression);
  }
  assert.deepEqual(JSON.parse(written("{ 'x', key = 1 }")), { 1: "x", key: 1 });
});

Deno.test("toJSON returns nil and a message with the position for a value without a form in JSON", () => {
  const cases: [string, string][] = [
    ["print", "JSON cannot express a function"],
    ["0/0", "JSON cannot express the number -nan"],
    ["{ x = { 1, 1/0 } }", 'JSON cannot express the number inf at ["x"][2]'],
    ["cumulus.clients", "JSON cannot express clients("],
    ["{ [true] = 1 }", "JSON cannot express a key that is a boolean"],
    [`"\\255"`, "JSON cannot express a text that is not UTF-8"],
    ["loop", "tables nested deeper than 128: does one contain itself?"],
    ["{ ('x'):rep(2^24) }", "longer than 16777216 bytes"],
    ["wide(16)", "longer than 16777216 bytes"],
  ];
  const before = `
    loop = {} loop.loop = loop
    function wide(depth) local t = { ("x"):rep(5000) } for i = 1, depth do t = { t, t } end return t end`;
  for (const [expression, message] of cases) {
    const text = written(expression, before).replace("the number nan", "the number -nan");
    assert.ok(text.startsWith(`! ${message}`), `${expression}: ${text}`);
  }
});

Deno.test("toJSON writes the replacement character unchanged", () => {
  assert.equal(written(`"\\u{fffd}"`), '"\ufffd"');
});

/** The value of a JSON text, printed by Lua, or the message. */
function read(json: string, rest = ""): string {
  const machine = new Machine();
  machine.host.configs = { json };
  return machine.run(`
    function show(value)
      if value == none then return "none" end
      if type(value) ~= "table" then return math.type(value) == "float" and value .. "f" or
        type(value) == "string" and "'" .. value .. "'" or tostring(value) end
      local keys = {}
      for key in pairs(value) do keys[#keys + 1] = key end
      table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
      for i, key in ipairs(keys) do keys[i] = tostring(key) .. "=" .. show(value[key]) end
      return "{" .. table.concat(keys, " ") .. "}"
    end
    none = {}
    local value, message = cumulus:fromJSON(cumulus.configs.json${rest})
    INFO(message and "! " .. message or show(value))`)[0];
}

Deno.test("fromJSON reads each type of JSON value", () => {
  const cases: [string, string][] = [
    ["null", "nil"],
    [" true ", "true"],
    ["12", "12"],
    ["-0.5e1", "-5"],
    ["1.5", "1.5f"],
    ["9007199254740993", "9007199254740992.0f"],
    ['"a\\u00fc\\ud83d\\ude00\\n\\/"', "'aü😀\n/'"],
    ['"\\ud800"', "'\ufffd'"],
    ["\ufeff[]", "{}"],
    ['[1,"x",[],{}]', "{1=1 2='x' 3={} 4={}}"],
    ["[1,null,3]", "{1=1 3=3}"],
    ['{"a":1,"b":null,"1":2,"a":3}', "{1=2 a=3}"],
    ['{\n\t"a" : { "b" : [ true , false ] } }\r\n', "{a={b={1=true 2=false}}}"],
  ];
  for (const [json, shown] of cases) {
    assert.equal(read(json).replace("9.007199254741e+15f", "9007199254740992.0f"), shown, json);
  }
  assert.equal(read('[null,{"a":null}]', ", none"), "{1=none 2={a=none}}");
});

Deno.test("fromJSON returns nil and a message with the position for invalid JSON", () => {
  const cases: [string, string][] = [
    ["", "byte 1: a value expected, not the end"],
    ["[1,]", 'byte 4: a value expected, not "]"'],
    ["[1 2]", 'byte 4: "," or "]" expected, not "2"'],
    ['{"a" 1}', 'byte 6: ":" expected, not "1"'],
    ["{a:1}", 'byte 2: a name in quotes expected, not "a"'],
    ['{"a":1', 'byte 7: "," or "}" expected, not the end'],
    ["[1] x", 'byte 5: the end expected, not "x"'],
    ['"abc', "byte 1: unterminated string"],
    ['"a\tb"', "byte 3: unescaped control character in a string"],
    ['"\\x41"', "byte 1: invalid escape in a string"],
    ["01", 'byte 1: a value expected, not "0"'],
    ["+1", 'byte 1: a value expected, not "+"'],
    ["NaN", 'byte 1: a value expected, not "N"'],
    ["1e999", "byte 1: a number is too large"],
    ["ü", "byte 1: a value expected, not the byte 195"],
    ["[".repeat(129), "byte 129: arrays and objects nested deeper than 128"],
  ];
  for (const [json, message] of cases) assert.equal(read(json), `! ${message}`, json);
  assert.equal(read("[".repeat(128) + "]".repeat(128)).startsWith("{1={1="), true);
  const said = new Machine().run(`
    INFO(select(2, cumulus:fromJSON()))
    INFO(select(2, cumulus:fromJSON({})))
    INFO(select(2, cumulus:fromJSON("[\\"\\255\\"]")))
    INFO(select(2, cumulus:fromJSON((" "):rep(2^24 + 1))))`);
  assert.deepEqual(said, [
    "the argument is not a string",
    "the argument is not a string",
    "the text is not UTF-8",
    "the text is longer than 16777216 bytes",
  ]);
});

Deno.test("toJSON writes an empty object from fromJSON as an object, until it has elements", () => {
  const said = new Machine().run(`
    INFO(cumulus:toJSON(cumulus:fromJSON('{"a":{},"b":[]}').a))
    INFO(cumulus:toJSON(cumulus:fromJSON('[[],{}]')))
    local t = cumulus:fromJSON("{}")
    t[1] = "x"
    INFO(cumulus:toJSON(t))
    INFO(getmetatable(cumulus:fromJSON("{}")) == getmetatable(cumulus:fromJSON("{}")))`);
  assert.deepEqual(said, ["{}", "[[],{}]", '["x"]', "(false)"]);
});

Deno.test("toJSON and fromJSON agree with JavaScript on random values", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = seeded(seed);
    const value = randomValue(random, 4);
    const machine = new Machine();
    machine.host.configs = { json: JSON.stringify(value) };
    const [back] = machine.run(`none = {}
      INFO(cumulus:toJSON(cumulus:fromJSON(cumulus.configs.json, none), none))`);
    assert.deepEqual(JSON.parse(back), value, `seed ${seed}`);
  }
});

function randomValue(random: () => number, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 0 ? 7 : 5));
  const some = <T>(make: () => T) => Array.from({ length: Math.floor(random() * 4) }, make);
  const text = () => String.fromCodePoint(...some(() => Math.floor(random() * 0xd7ff)));
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random() < 0.5;
    case 2:
      return Math.floor((random() - 0.5) * 2 ** 40);
    case 3:
      return random() * 10 ** Math.floor(random() * 40 - 20);
    case 4:
      return text();
    case 5:
      return some(() => randomValue(random, depth - 1));
    default:
      return Object.fromEntries(some(() => [`k${text()}`, randomValue(random, depth - 1)]));
  }
}

Deno.test("toJSON and fromJSON stop at the time limit of a call for long texts and deep values", () => {
  for (const call of ["cumulus:fromJSON(text)", "cumulus:toJSON(table)"]) {
    const machine = new Machine({
      "main.lua": `
        text = "[" .. ("[],"):rep(2000000) .. "0]"
        table = {} for i = 1, 100000 do table[i] = i end
        table = { table, table, table, table, table, table, table, table, table, table }
        function onConnection(client) function client:go() ${call} end end`,
    });
    machine.host.memory = 512 << 20;
    machine.start();
    const guest = machine.connect();
    machine.applications.limit(5, 512 << 20);
    assert.match(JSON.stringify(guest.call("go")), /ran longer than 5 ms/, call);
  }
});
