import assert from "node:assert/strict";
import { readConfig } from "../../src/config/config.ts";
import { entrances, pagesIn } from "../../src/server/entrances.ts";

const linesOf = (ini: string, pages: string[] = []) =>
  entrances(readConfig(ini, "CumulusServer.ini", {}).config, 1935, pages);

Deno.test("entrances() returns a URL for every open door, without default ports", () => {
  assert.deepEqual(linesOf("[rtmp]\nport = 1935\n[web]\nport = 8080\n", ["board", "chat"]), [
    "Flash and AIR connect to rtmfp://localhost/",
    "OBS and ffmpeg publish to rtmp://localhost/live/NAME",
    "Browsers play it at http://localhost:8080/live/NAME",
    "Pages of applications: http://localhost:8080/board/ http://localhost:8080/chat/",
  ]);
});

Deno.test("entrances() omits closed doors, and uses configured addresses", () => {
  assert.equal(
    linesOf("[http]\nport = 9350\n").at(-1),
    "The status page is at http://127.0.0.1:9350/",
  );
  assert.deepEqual(linesOf("[rtmfp]\naddress = ::1\n"), [
    "Flash and AIR connect to rtmfp://[::1]/",
  ]);
  assert.deepEqual(
    linesOf("[web]\nport = 80\naddress = 127.0.0.1\n", ["a", "b", "c", "d", "e"]).at(-1),
    "Pages of applications: http://127.0.0.1/a/ http://127.0.0.1/b/ http://127.0.0.1/c/ " +
      "http://127.0.0.1/d/ …",
  );
});

Deno.test("pagesIn() lists applications with an index page, and returns an empty list without a folder www", () => {
  const www = Deno.makeTempDirSync();
  try {
    for (const name of ["chat", "board", "plain"]) {
      Deno.mkdirSync(`${www}/${name}/web`, { recursive: true });
      if (name !== "plain") Deno.writeTextFileSync(`${www}/${name}/web/index.html`, "");
    }
    Deno.writeTextFileSync(`${www}/main.lua`, "");
    assert.deepEqual(pagesIn(www), ["board", "chat"]);
    assert.deepEqual(pagesIn(`${www}/none`), []);
  } finally {
    Deno.removeSync(www, { recursive: true });
  }
});
