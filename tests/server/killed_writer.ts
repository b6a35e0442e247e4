// Writes a persistent shared object, then a second time up to the moment before the file is renamed;
// prints that and waits to be killed. Run by shared_object_crash_test.ts with a folder.
import { encodeAmf } from "../../src/amf/mod.ts";
import { SHARED_OBJECT_BOUNDS } from "../../src/media/shared_objects.ts";
import { SharedObject } from "../../src/media/shared_object.ts";
import { Log } from "../../src/log/log.ts";
import { SharedObjectFiles } from "../../src/server/shared_object_files.ts";

const [folder] = Deno.args;
const files = new SharedObjectFiles({
  enabled: () => true,
  objects: () => 1,
  folder: () => folder,
  log: new Log({ level: 0, format: "text" }),
});
const object = new SharedObject("", "o", true, SHARED_OBJECT_BOUNDS, {
  now: 0,
  changed: (one) => files.changed(one),
  collects: () => {},
});
files.load(object, "");
object.set("x", encodeAmf("before"));
await files.close();
Deno.rename = () => {
  console.log("between");
  return new Promise(() => {});
};
object.set("x", encodeAmf("after"));
files.flush(object);
setInterval(() => {}, 1_000); // a promise alone does not keep it running
