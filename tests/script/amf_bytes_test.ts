// ByteReader and ByteWriter, in Lua: API-460, API-461, AMF-081 to AMF-099.
import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../../src/bytes/hex.ts";
import { charset } from "../../src/script/api/charset.ts";
import { ScriptError } from "../../src/script/vm/script_error.ts";
import { Machine } from "./amf_machine.ts";

const HEAD = "11 0a 07 07 457874"; // an externalizable object of type Ext

/** Runs `body` as `__readExternal(self, reader)` of an object with this content. */
function read(content: string, body: string): Machine {
  const machine = new Machine();
  machine.give(fromHex(HEAD + content));
  machine.check(`
    function onTypedObject(_, object)
      function object:__readExternal(reader) ${body} end
    end
    object = cumulus:fromAMF(bytes)`);
  assert.deepEqual(machine.bugs, []);
  return machine;
}

/** Like {@link read}; fails if the server logs a message. */
function reads(content: string, body: string): void {
  assert.deepEqual(read(content, body).logged, []);
}

/** The content that `body` writes as `__writeExternal(self, writer)`. */
function written(body: string): string {
  const machine = new Machine();
  const bytes = machine.bytes(
    `cumulus:toAMF({__type = "Ext", __writeExternal = function(self, writer) ${body} end})`,
  );
  assert.deepEqual([machine.logged, machine.bugs], [[], []]);
  const hex = toHex(bytes);
  const head = toHex(fromHex(HEAD));
  assert.ok(hex.startsWith(head));
  return hex.slice(head.length);
}

function fails(body: string): string {
  const machine = new Machine();
  const message = machine.failure(
    `cumulus:toAMF({__type = "Ext", __writeExternal = function(self, writer) ${body} end})`,
  );
  assert.deepEqual(machine.bugs, []);
  return message;
}

Deno.test("AMF-081: readBoolean reads a byte as a boolean", () => {
  reads(
    "00 01 02",
    `assert(reader:readBoolean() == false)
     assert(reader:readBoolean() == true and reader:readBoolean() == true)`,
  );
});

Deno.test("AMF-082: readByte, readShort and readInt are signed", () => {
  reads(
    "ff 7f fffe 7fff fffffffd 7fffffff",
    `assert(reader:readByte() == -1 and reader:readByte() == 127)
     assert(reader:readShort() == -2 and reader:readShort() == 32767)
     assert(reader:readInt() == -3 and reader:readInt() == 2147483647)`,
  );
});

Deno.test("AMF-083: readUnsignedByte, readUnsignedShort and readUnsignedInt are unsigned", () => {
  reads(
    "ff fffe fffffffd",
    `assert(reader:readUnsignedByte() == 255 and reader:readUnsignedShort() == 65534)
     assert(tostring(reader:readUnsignedInt()) == "4294967293")`,
  );
});

Deno.test("AMF-084: readFloat and readDouble read 4 and 8 bytes of IEEE 754", () => {
  reads(
    "3fc00000 bff8000000000000",
    "assert(reader:readFloat() == 1.5 and reader:readDouble() == -1.5)",
  );
});

Deno.test("AMF-085, AMF-086: readUTF reads a length and a text, readUTFBytes and readBytes n bytes", () => {
  reads(
    "0003 00ff61 0000 6263 6465 66",
    `assert(reader:readUTF() == "\\0\\255a" and reader:readUTF() == "")
     assert(reader:readUTFBytes(2) == "bc" and reader:readBytes(2.9) == "de")
     assert(reader:readBytes() == "" and reader:readUTFBytes("1") == "f")`,
  );
});

Deno.test("AMF-087, AMF-098: readMultiByte converts a text from a character set to UTF-8", () => {
  reads(
    "e9 a4 80 c3a9 00e9 feff20ac fffeac20 e900",
    `assert(reader:readMultiByte(1, "iso-8859-1") == "é")
     assert(reader:readMultiByte(1, "ISO-8859-15") == "€")
     assert(reader:readMultiByte(1, "Windows-1252") == "€")
     assert(reader:readMultiByte(2, "UTF-8") == "é")
     assert(reader:readMultiByte(2, "UTF-16") == "é")
     assert(reader:readMultiByte(4, "UTF-16") == "€")
     assert(reader:readMultiByte(4, "UTF-16") == "€")
     assert(reader:readMultiByte(2, "UTF-16LE") == "é")`,
  );
  const unknown = read("61", 'reader:readMultiByte(1, "klingon")');
  assert.match(unknown.logged[0], /^error: .*klingon/);
});

Deno.test("AMF-088: readAMF reads one AMF3 value by default, n values for n, the rest for 0", () => {
  reads(
    "0405 06 03 61 01 03 0a0b0101 05 3ff8000000000000",
    `assert(reader:readAMF() == 5)
     local a, b = reader:readAMF(2)
     assert(a == "a" and b == nil and select("#", reader:readAMF(1)) == 1)
     local c, d, e = reader:readAMF(0)
     assert(type(c) == "table" and d == 1.5 and e == nil)`,
  );
});

Deno.test("AMF-089: reader.bytesAvailable is the number of unread bytes", () => {
  reads(
    "010203",
    `assert(reader.bytesAvailable == 3)
     reader:readShort()
     assert(reader.bytesAvailable == 1)
     reader:readByte()
     assert(reader.bytesAvailable == 0)`,
  );
});

Deno.test("A reader raises an error that a script can catch for a read past the end", () => {
  reads(
    "01",
    `for _, method in ipairs {"readShort", "readInt", "readDouble", "readFloat", "readUTF"} do
       assert(not pcall(reader[method], reader), method)
     end
     assert(not pcall(reader.readBytes, reader, 2) and not pcall(reader.readBytes, reader, -1))
     assert(not pcall(reader.readBytes, reader, 0/0) and not pcall(reader.readBytes, reader, 2^53))
     assert(reader:readBytes(1) == "\\1")
     assert(not pcall(reader.readByte, reader))`,
  );
});

Deno.test("API-004: scripts call methods of reader and writer with `:` or with `.`", () => {
  reads("01 02", "assert(reader.readByte() == 1 and reader.readByte() == 2)");
  assert.equal(written("writer.writeByte(7) writer.writeAMF('a')"), "07060361");
});

Deno.test("AMF-091, AMF-092: writeByte, writeShort and writeInt write the low bits of a number", () => {
  assert.equal(
    written("writer:writeBoolean(true) writer:writeBoolean(false) writer:writeBoolean()"),
    "010000",
  );
  assert.equal(written("writer:writeByte(-1) writer:writeByte(257) writer:writeByte()"), "ff0100");
  assert.equal(written("writer:writeShort(-2) writer:writeShort(65537)"), "fffe0001");
  assert.equal(
    written("writer:writeInt(-3) writer:writeUnsignedInt(4294967293)"),
    "fffffffdfffffffd",
  );
  assert.equal(
    written("writer:writeUnsignedByte(255) writer:writeUnsignedShort('65534')"),
    "fffffe",
  );
});

Deno.test("AMF-093: writeFloat and writeDouble write 4 and 8 bytes of IEEE 754", () => {
  assert.equal(
    written("writer:writeFloat(1.5) writer:writeDouble(-1.5)"),
    "3fc00000bff8000000000000",
  );
});

Deno.test("AMF-094, AMF-095: writeUTF writes a length and a text, writeUTFBytes and writeBytes the bytes", () => {
  assert.equal(written(`writer:writeUTF("\\0\\255a") writer:writeUTF()`), "000300ff610000");
  assert.equal(
    written(`writer:writeUTFBytes("bc") writer:writeBytes("\\0") writer:writeBytes(5)`),
    "62630035",
  );
  assert.match(fails("writer:writeUTF(('x'):rep(65536))"), /65535/);
});

Deno.test("AMF-096, AMF-098: writeMultiByte converts a text from UTF-8 to a character set", () => {
  assert.equal(
    written('writer:writeMultiByte("é", "latin1") writer:writeMultiByte("€", "iso-8859-15")'),
    "e9a4",
  );
  assert.equal(
    written('writer:writeMultiByte("€", "windows-1252") writer:writeMultiByte("€", "ascii")'),
    "803f",
  );
  assert.equal(
    written('writer:writeMultiByte("é", "utf-8") writer:writeMultiByte("€", "UTF-16")'),
    "c3a920ac",
  );
  assert.match(fails('writer:writeMultiByte("x", "klingon")'), /klingon/);
  assert.match(fails('writer:writeMultiByte("x")'), /charset/);
});

Deno.test("AMF-097: writeAMF writes each argument in AMF3", () => {
  assert.equal(written("writer:writeAMF()"), "");
  assert.equal(
    written('writer:writeAMF(5, "a", nil, true, 1.5, {}, "a")'),
    "0405" + "060361" + "01" + "03" + "053ff8000000000000" + "090101" + "0602",
  );
});

Deno.test("A writer raises an error when a script writes without end", () => {
  const message = fails(
    "local long = ('x'):rep(2^24) for i = 1, 100 do writer:writeUTFBytes(long) end",
  );
  assert.match(message, /long/);
});

Deno.test("AMF-099, API-045: reader and writer work only during the call", () => {
  const machine = read(
    "01 02",
    `reader:readByte()
     global = reader
     kept = {reader}
     method = reader.readByte`,
  );
  machine.check(`
    assert(global == nil)
    assert(kept[1]:readByte() == nil and kept[1].bytesAvailable == nil)
    assert(method() == nil and method(kept[1]) == nil)`);
  const writing = new Machine();
  writing.check(`
    local kept
    local ext = {__type = "Ext", __writeExternal = function(self, writer) global, kept = writer, writer end}
    assert(#cumulus:toAMF(ext) == 7)
    assert(global == nil)
    kept:writeAMF(1)
    kept.writeByte(1)`);
  assert.deepEqual([writing.logged, writing.bugs], [[], []]);
});

Deno.test("Charsets convert every character of one byte and back, under the usual names", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (
    const name of [
      "ISO-8859-1",
      "Latin1",
      "latin-1",
      "iso8859-15",
      "Latin 9",
      "CP1252",
      "windows_1252",
    ]
  ) {
    const { toUtf8, fromUtf8 } = charset(name);
    assert.deepEqual(fromUtf8(toUtf8(all)), all, name);
  }
  assert.deepEqual(
    charset("US-ASCII").fromUtf8(charset("ascii").toUtf8(all)).slice(126, 129),
    Uint8Array.of(126, 127, 0x3f),
  );
  const decoder = new TextDecoder("windows-1252");
  assert.equal(new TextDecoder().decode(charset("windows-1252").toUtf8(all)), decoder.decode(all));
  const latin9 = new TextDecoder("iso-8859-15");
  const upper = all.subarray(0xa0);
  assert.equal(
    new TextDecoder().decode(charset("iso-8859-15").toUtf8(upper)),
    latin9.decode(upper),
  );
  assert.throws(() => charset(""), ScriptError);
});

Deno.test("Charsets convert UTF-16 like JavaScript, also with an odd byte at the end", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const utf8 = new TextEncoder().encode(text);
    const { toUtf8, fromUtf8 } = charset("UTF-16");
    const bytes = fromUtf8(utf8);
    assert.equal(new TextDecoder("utf-16be", { ignoreBOM: true }).decode(bytes), text);
    if (/^[\ufeff\ufffe]/.test(text)) return; // read as a byte order mark
    assert.deepEqual(toUtf8(bytes), utf8);
  }));
  assert.equal(
    new TextDecoder().decode(charset("utf-16le").toUtf8(Uint8Array.of(0x61, 0, 0x62))),
    "a\ufffd",
  );
});
