import assert from "node:assert/strict";
import { facts } from "../../src/server/facts.ts";
import { absolute, findFolders } from "../../src/server/folders.ts";

Deno.test("findFolders() finds www, logs and the ini by --dir, --ini, the program or the current folder", () => {
  const top = Deno.realPathSync(Deno.makeTempDirSync());
  try {
    for (const name of ["program", "current", "elsewhere"]) Deno.mkdirSync(`${top}/${name}`);
    const current = `${top}/current`;
    const program = `${top}/program/`;
    const home = (name: string) => `${top}/${name}/`;
    assert.equal(findFolders({}, program, current).home, home("program"));
    assert.equal(findFolders({}, program, current).ini, `${home("program")}CumulusServer.ini`);
    Deno.mkdirSync(`${current}/www`);
    assert.equal(findFolders({}, program, current).home, home("current"));
    Deno.writeTextFileSync(`${top}/program/CumulusServer.ini`, "");
    assert.equal(findFolders({}, program, current).home, home("program"));
    assert.deepEqual(findFolders({ ini: "../elsewhere/my.ini" }, program, current), {
      home: `${top}/current/../elsewhere/`,
      ini: `${top}/current/../elsewhere/my.ini`,
    });
    assert.deepEqual(
      findFolders({ ini: `${top}/my.ini`, dir: `${top}/elsewhere` }, program, current),
      {
        home: home("elsewhere"),
        ini: `${top}/my.ini`,
      },
    );
  } finally {
    Deno.removeSync(top, { recursive: true });
  }
});

Deno.test("CFG-064 facts() returns paths and name of the program, and system, process id and folders of the machine", () => {
  const seen = facts("/opt/cumulus/CumulusServer.bin", "/opt/cumulus/");
  assert.equal(seen["application.path"], "/opt/cumulus/CumulusServer.bin");
  assert.equal(seen["application.name"], "CumulusServer.bin");
  assert.equal(seen["application.baseName"], "CumulusServer");
  assert.equal(seen["application.dir"], "/opt/cumulus/");
  assert.equal(seen["application.argv[0]"], "/opt/cumulus/CumulusServer.bin");
  for (
    const name of [
      "osName",
      "osVersion",
      "osArchitecture",
      "nodeName",
      "pid",
      "currentDir",
      "homeDir",
    ]
  ) {
    assert.ok(seen[`system.${name}`], name);
  }
  for (const name of ["currentDir", "homeDir", "tempDir"]) {
    assert.match(seen[`system.${name}`], /[/\\]$/);
  }
  assert.match(seen["system.dateTime"], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

Deno.test("absolute() removes redundant dots from paths", () => {
  assert.equal(absolute(".", "/home/a"), "/home/a/");
  assert.equal(absolute("./b", "/home/a/"), "/home/a/b");
  assert.equal(absolute("././b/c", "/home/a"), "/home/a/b/c");
  assert.equal(absolute(".b", "/home/a"), "/home/a/.b");
  assert.equal(absolute("../b", "/home/a"), "/home/a/../b");
  assert.equal(absolute("/b", "/home/a"), "/b");
});
