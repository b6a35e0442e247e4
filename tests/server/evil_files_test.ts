// Hostile files in the folders of applications: the server refuses them, and continues.
import assert from "node:assert/strict";
import { NetConnection } from "../../src/client/net_connection.ts";
import { TestServer } from "../conformance/support/test_server.ts";

const SCRIPT = `
  function onConnection(client)
    function client:try()
      local results = {}
      local function try(name, f, ...)
        local ok, value, reason = pcall(f, ...)
        local text = tostring(ok and value and "opened" or reason or value):gsub("%s+", " ")
        table.insert(results, name .. ": " .. text)
      end
      package.path = "./?"
      for _, name in ipairs{"pipe", "loop", "out"} do
        for _, mode in ipairs{"r", "w", "a", "r+", "w+", "a+"} do try("open " .. mode, io.open, name, mode) end
        try("lines", io.lines, name)
        try("loadfile", loadfile, name)
        try("dofile", dofile, name)
        try("require", require, name)
      end
      return table.concat(results, "\\n")
    end
    function client:shared(name) return cumulus.sharedObjects:get(name, true) ~= nil end
  end`;

Deno.test(
  "The server refuses to open pipes, links and folders as files for scripts and clients, without waiting",
  {
    ignore: Deno.build.os === "windows",
  },
  async () => {
    const server = await TestServer.prepare({
      www: { "/app": SCRIPT, "/piped/other": "" },
      ini: "[sharedObjects]\npersist = on",
    });
    const app = `${server.dir}/www/app`;
    for (const folder of ["streams", "sharedobjects"]) Deno.mkdirSync(`${app}/${folder}`);
    const pipes = [
      `${app}/pipe`,
      `${app}/streams/pipe.flv`,
      `${app}/sharedobjects/pipe.so`,
      `${server.dir}/www/piped/main.lua`,
    ];
    assert.ok((await new Deno.Command("mkfifo", { args: pipes }).output()).success);
    Deno.symlinkSync("loop", `${app}/loop`);
    Deno.symlinkSync("/etc/hostname", `${app}/out`);
    Deno.mkdirSync(`${app}/streams/folder.flv`);
    Deno.writeTextFileSync(`${app}/streams/new\nline.flv`, "FLV");
    try {
      await server.run();
      const connection = await NetConnection.connect(server.url("/app"));
      const results = (await connection.call("try") as string).split("\n");
      assert.equal(results.length, 30);
      for (const result of results) {
        assert.match(result, /regular file|symbolic link|not found|module/, result);
      }
      for (const name of ["pipe", "folder", "new\nline", "none"]) {
        assert.equal(await connection.call("getStreamLength", name), 0, name);
      }
      assert.equal(await connection.call("shared", "pipe"), false);
      assert.equal(await connection.call("shared", "fine"), true);
      await assert.rejects(NetConnection.connect(server.url("/piped")), /not available/);
      await connection.close();
    } finally {
      await server.stop();
    }
  },
);
