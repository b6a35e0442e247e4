// Persistent shared objects after the server is killed or stopped.
import assert from "node:assert/strict";
import { AmfReader } from "../../src/amf/mod.ts";
import { NetConnection } from "../../src/client/net_connection.ts";
import { readSharedObjectFile } from "../../src/media/shared_object_file.ts";
import { SHARED_OBJECT_BOUNDS } from "../../src/media/shared_objects.ts";
import { SharedObject } from "../../src/media/shared_object.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { until } from "../support/wait.ts";

const ini = "[sharedObjects]\npersist = on\nfolder = kept";

async function use(server: TestServer) {
  const connection = await NetConnection.connect(server.url());
  const object = connection.sharedObject("a/b", { persistent: true });
  await object.ready;
  return { connection, object };
}

Deno.test("The server restores a persistent object as last written after kill -9, and with all changes after a stop", async () => {
  const server = await TestServer.start({ www: { "": "" }, ini });
  try {
    const file = `${server.dir}/kept/%2F/a/b.so`;
    const written = () => Deno.stat(file).then(() => true, () => undefined);
    const first = await use(server);
    first.object.set("x", 1);
    await until(written, "the file");
    first.object.set("x", 2); // within the second that a crash may lose
    await server.end("SIGKILL");
    await first.connection.close();
    await server.run();
    const second = await use(server);
    assert.ok([1, 2].includes(second.object.data.get("x") as number));
    second.object.set("x", 3);
    await until(() => second.object.version > 1, "the answer");
    await server.end("SIGTERM");
    await second.connection.close();
    await server.run();
    const third = await use(server);
    assert.deepEqual([...third.object.data], [["x", 3]]);
    await third.connection.close();
  } finally {
    await server.stop();
  }
});

Deno.test("SharedObjectFiles keeps the previous file intact when kill -9 ends the server before it renames the new one", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "-A"],
        new URL("killed_writer.ts", import.meta.url).pathname,
        folder,
      ],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const said = child.stdout.getReader();
    assert.match(new TextDecoder().decode((await said.read()).value), /between/);
    child.kill("SIGKILL");
    await said.cancel();
    await child.status;
    const read = (name: string) => {
      const owner = { now: 0, changed: () => {}, collects: () => {} };
      const object = new SharedObject("", "o", true, SHARED_OBJECT_BOUNDS, owner);
      readSharedObjectFile(Deno.readFileSync(`${folder}/${name}`), object);
      return new AmfReader(object.get("x")!).readValue();
    };
    assert.equal(read("o.so"), "before");
    assert.equal(read("o.so.tmp"), "after", "it was on the disk, and not renamed");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
