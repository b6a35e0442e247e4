// The server accepts no clients of an application whose main.lua is unreadable or has vanished. API-025, API-037.
import assert from "node:assert/strict";
import { UnknownApplication } from "../../src/media/refused.ts";
import { Machine } from "./machine.ts";

const PASSWORD =
  "function onConnection(client, password) if password ~= 'x' then error('wrong password') end end";
const MAIN = "/srv/www/secret/main.lua";

/** A machine with a manual clock, and a settable disk error of one file. */
function machineWith(files: Record<string, string>) {
  const machine = new Machine(files);
  const state = { now: 1_000, modified: "", read: "", folder: "" };
  machine.host.now = () => state.now += 250; // longer than the server reuses a check in a rush of clients
  const { modified, read, isFolder } = machine.host.files;
  const { files: disk } = machine.host;
  disk.modified = (path) => path === MAIN && state.modified ? state.modified : modified(path);
  disk.read = (path, limit) => path === MAIN && state.read ? state.read : read(path, limit);
  disk.isFolder = (path) =>
    path === "/srv/www/secret" && state.folder ? state.folder : isFolder(path);
  return { machine: machine.start(), state };
}

for (const what of ["modified", "read", "folder"] as const) {
  Deno.test(`The server refuses clients with one ERROR while main.lua is unreadable (the disk fails at: ${what})`, () => {
    const { machine, state } = machineWith({ "main.lua": "", "secret/main.lua": PASSWORD });
    state[what] = "Permission denied";
    for (let i = 0; i < 3; i++) {
      assert.equal(machine.refused("/secret", ["x"]), "the application is not available");
    }
    const [error, ...others] = machine.logged("error");
    assert.match(error, /cannot be .*: Permission denied: clients are refused$/);
    assert.deepEqual(others, []);
    assert.equal(
      machine.host.lines.find(({ text }) => text === error)?.file,
      "www/secret/main.lua",
    );
    state[what] = "";
    assert.equal(machine.refused("/secret"), "wrong password");
    machine.connect("/secret", { values: ["x"] });
  });
}

Deno.test("A running application whose main.lua cannot be read refuses clients and keeps running", () => {
  const { machine, state } = machineWith({ "main.lua": "", "secret/main.lua": PASSWORD });
  machine.connect("/secret", { values: ["x"] });
  state.modified = "Input/output error";
  assert.equal(machine.refused("/secret", ["x"]), "the application is not available");
  state.modified = "";
  machine.connect("/secret", { values: ["x"] });
});

Deno.test("Applications below an unreadable main.lua refuse clients too", () => {
  const { machine, state } = machineWith({
    "main.lua": "",
    "secret/main.lua": PASSWORD,
    "secret/below/main.lua": "function onPublish() end",
    "secret/own/main.lua": "function onConnection() end",
    "secret/empty/readme.txt": "",
  });
  assert.equal(machine.refused("/secret/below"), "wrong password");
  state.modified = "Permission denied";
  assert.equal(machine.refused("/secret/below", ["x"]), "the application is not available");
  machine.connect("/secret/own");
  machine.connect("/secret/empty"); // no event runs there
  state.modified = "";
  machine.write("secret/main.lua", "x = = 1");
  machine.connect("/secret/own");
  assert.equal(machine.refused("/secret/below", ["x"]), "the application is not available");
});

Deno.test("An application whose main.lua vanishes refuses clients for 5 s before it counts as deleted", () => {
  const { machine, state } = machineWith({
    "main.lua": "",
    "secret/main.lua": `${PASSWORD} function onStop() INFO("stop") end`,
  });
  machine.connect("/secret", { values: ["x"] });
  machine.remove("secret/main.lua");
  assert.equal(machine.refused("/secret", ["x"]), "the application is not available");
  state.now += 4_000;
  assert.equal(machine.refused("/secret"), "the application is not available");
  assert.deepEqual(machine.logged("error"), ["has vanished: clients are refused"]);
  assert.deepEqual(machine.said(), []);
  state.now += 1_000;
  machine.connect("/secret");
  assert.deepEqual(machine.said(), ["stop"]);
});

Deno.test("An application whose main.lua returns within 5 s restarts if the file has changed", () => {
  const { machine } = machineWith({ "main.lua": "", "secret/main.lua": PASSWORD });
  machine.connect("/secret", { values: ["x"] });
  machine.remove("secret/main.lua");
  assert.equal(machine.refused("/secret", ["x"]), "the application is not available");
  machine.write("secret/main.lua", PASSWORD.replace("'x'", "'y'"));
  assert.equal(machine.refused("/secret", ["x"]), "wrong password");
  machine.connect("/secret", { values: ["y"] });
});

Deno.test("The application above gets no clients of a vanished folder for 5 s", () => {
  const { machine, state } = machineWith({ "main.lua": "", "secret/main.lua": PASSWORD });
  machine.host.unknown = "nearest";
  machine.connect("/secret", { values: ["x"] });
  machine.removeFolder("/srv/www/secret".slice("/srv/www/".length));
  assert.equal(machine.refused("/secret", ["x"]), "the application is not available");
  state.now += 5_000;
  machine.connect("/secret");
  machine.host.unknown = "reject";
  assert.throws(() => machine.connect("/secret"), UnknownApplication);
});
