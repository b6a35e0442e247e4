// The server warns of calls without effect, once per line.
import assert from "node:assert/strict";
import { misspelledInSource } from "../../src/script/api/event_names.ts";
import { deaf, Machine } from "./machine.ts";

/** Warnings, as `line text`. */
const warned = (machine: Machine) =>
  machine.host.lines.filter(({ level }) => level === 4)
    .map(({ file, line, text }) => {
      assert.equal(file, "www/main.lua");
      return `${line} ${text}`;
    });

Deno.test("The server warns of swapped and missing arguments, with their line", () => {
  const machine = new Machine({
    "main.lua": `local p = cumulus:publish("one")
      p:pushAudioPacket("abc", 10)
      p:pushVideoPacket(10)
      p:pushVideoPacket()
      p:pushAudioPacket(10, { 1 })
      p:pushAudioPacket(10, "abc", 3)
      p:pushDataPacket()
      p:pushDataPacket("onMetaData")
      cumulus:publish()
      cumulus:publish({})
      cumulus:sendMail("a@example.org", "subject", "text")
      cumulus:sendMail("a@example.org", "subject", "text", { "b@example.org" })
      function onConnection(client)
        client.writer:writeAMFMessage()
        client.writer:writeStatusResponse()
        return false
      end`,
  }).start();
  machine.connect();
  assert.deepEqual(warned(machine), [
    "2 pushAudioPacket(time, packet): the arguments are swapped",
    "3 pushVideoPacket(time, packet): the packet is missing",
    "4 pushVideoPacket(time, packet): the packet is missing",
    "5 pushAudioPacket(time, packet): the packet is a table",
    "6 pushAudioPacket(time, packet, offset): no byte of the packet is after the offset",
    "7 pushDataPacket(name, packet): the name is missing",
    "8 pushDataPacket(name, packet): the packet is missing",
    "9 publish(name): the name is missing",
    "10 publish(name): the name is a table",
    "11 sendMail(sender, subject, content, recipient…): the recipient is missing",
    "12 sendMail(sender, subject, content, recipient…): the recipient is a table",
    "14 writeAMFMessage(name, …): the name is missing",
    "15 writeStatusResponse(code, description): the code is missing",
    "13 onConnection returned false, which does not refuse the client: use error",
  ]);
});

Deno.test("The server does not warn of correct calls", () => {
  const machine = new Machine({
    "main.lua": `local p = cumulus:publish("one")
      p:pushAudioPacket(1, "abc") p:pushAudioPacket("2", "abc", 1, 4) p:pushVideoPacket(3, "")
      p:pushDataPacket("x", "") p:pushDataPacket("x", cumulus:toAMF(1))
      cumulus:sendMail("a@example.org", "", "", "b@example.org", "c@example.org")
      function onConnection(client)
        client.writer:writeAMFMessage("f")
        client.writer:writeStatusResponse("Code")
        return nil
      end`,
  }).start();
  machine.connect();
  assert.deepEqual(warned(machine), []);
});

Deno.test("The server warns of a line once until the application restarts", () => {
  const machine = new Machine();
  const source = `function onConnection(client)
      for i = 1, 3 do client.writer:writeAMFMessage() end
      client.writer:writeAMFMessage()
    end`;
  machine.write("main.lua", source);
  machine.start();
  machine.connect();
  machine.connect();
  assert.equal(warned(machine).length, 2);
  machine.write("main.lua", source);
  machine.connect();
  assert.equal(warned(machine).length, 4);
});

Deno.test("The server warns of a global function whose name resembles an event, with its line", () => {
  const machine = new Machine({
    "main.lua": `function onconnection(client) end
      onConection = function() end
      function onPublish() end
      function onPublished() end
      function onMessage() end
      onmanage = 5
      function ONSTOP() end`,
    "below/main.lua": "function onDissconnection() end",
  }).start();
  machine.connect("/below");
  const lines = machine.host.lines.filter(({ level }) => level === 4)
    .map(({ file, line, text }) => `${file}:${line} ${text}`).sort();
  assert.deepEqual(lines, [
    "below/main.lua:1 the function onDissconnection is not an event; did you mean onDisconnection?",
    "www/main.lua:1 the function onconnection is not an event; did you mean onConnection?",
    "www/main.lua:2 the function onConection is not an event; did you mean onConnection?",
    "www/main.lua:7 the function ONSTOP is not an event; did you mean onStop?",
  ]);
  assert.deepEqual(
    misspelledInSource(
      "-- \nfunction onConection(c)\nend\n onpublish = function() end\nfunction onRecrod() end",
    ),
    [
      { line: 2, text: "the function onConection is not an event; did you mean onConnection?" },
      { line: 4, text: "the function onpublish is not an event; did you mean onPublish?" },
      { line: 5, text: "the function onRecrod is not an event; did you mean onRecord?" },
    ],
  );
});

Deno.test("The server warns of listener:close() without effect", () => {
  const machine = new Machine({
    "main.lua": `function onSubscribe(client, listener)
        listener:close()
      end
      function onConnection(client)
        function client:go()
          for _, listener in cumulus.publications("live").listeners:ipairs() do
            listener:close("Play.Failed", "over")
          end
        end
      end`,
  }).start();
  const guest = machine.connect();
  machine.publish(guest, "live");
  const ended: string[] = [];
  const output = { ended: (code: string, text: string) => void ended.push(`${code} ${text}`) };
  machine.play(guest, "live", output).start();
  machine.hub.subscriptions.attach("live", deaf).start();
  guest.call("go");
  assert.deepEqual(warned(machine), [
    "2 listener:close() has no effect in onSubscribe: return false to refuse",
    "7 listener:close() is for clients: a recording ends with publication:stopRecording(), " +
    "a relay with relay:close()",
  ]);
  assert.deepEqual(ended, ["Play.Failed over"]);
});
