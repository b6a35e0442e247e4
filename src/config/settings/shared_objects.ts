// [sharedObjects].
import { integer, oneOf, type Setting, text } from "../setting.ts";

export const sharedObjects = {
  "sharedObjects.enabled": oneOf(["on", "off"], "on", {
    live: true,
    comment: "on: clients may use remote shared objects; off: the server refuses them with\n" +
      "SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.persist": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "on: the server stores persistent shared objects in files; off: it refuses them with\n" +
      "SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.folder": text("", {
    comment:
      "Folder of these files, relative to application.dir; it gets a folder per application. Empty:\n" +
      "sharedobjects in the folder of each application.",
  }),
  "sharedObjects.objects": integer(1_024, {
    min: 0,
    max: 1_000_000,
    live: true,
    comment:
      "Maximum number of objects in use, and of files of persistent objects, per application. Above it:\n" +
      "SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.objectsOfClient": integer(64, {
    min: 0,
    max: 100_000,
    live: true,
    comment: "Maximum number of objects that a client uses at once. Above it:\n" +
      "SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.slots": integer(1_024, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment:
      "Maximum number of slots of an object. The server answers a change above this limit, or one of the\n" +
      "next three, with SharedObject.NoWriteAccess and the current value.",
  }),
  "sharedObjects.slotName": integer(255, {
    min: 1,
    max: 65_535,
    unit: "bytes",
    live: true,
    comment: "Maximum length of a slot's name, in bytes.",
  }),
  "sharedObjects.value": integer(64, {
    min: 1,
    max: 16_384,
    unit: "KiB",
    live: true,
    comment: "Maximum size of a value, in KiB.",
  }),
  "sharedObjects.object": integer(1_024, {
    min: 1,
    max: 262_144,
    unit: "KiB",
    live: true,
    comment: "Maximum size of all names and values of an object, in KiB.",
  }),
  "sharedObjects.events": integer(1_024, {
    min: 1,
    max: 100_000,
    live: true,
    comment:
      "Maximum number of events in one message of a client; the server drops longer messages.",
  }),
  "sharedObjects.send": integer(64, {
    min: 1,
    max: 16_384,
    unit: "KiB",
    live: true,
    comment:
      "Maximum size in KiB of the name and arguments of a call to all users of an object. Above it:\n" +
      "SharedObject.NoWriteAccess.",
  }),
} satisfies Record<string, Setting<unknown>>;
