// [sharedObjects].
import { integer, oneOf, type Setting, text } from "../setting.ts";

export const sharedObjects = {
  "sharedObjects.enabled": oneOf(["on", "off"], "on", {
    live: true,
    comment: "Whether clients may use remote shared objects; off refuses them with\n" +
      "SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.persist": oneOf(["off", "on"], "off", {
    live: true,
    comment:
      "Whether objects that clients or scripts want persistent are kept in files. off refuses those\n" +
      "with SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.folder": text("", {
    comment:
      "The folder of these files, from application.dir, with a folder for each application. Nothing\n" +
      "means sharedobjects in the folder of each application.",
  }),
  "sharedObjects.objects": integer(1_024, {
    min: 0,
    max: 1_000_000,
    live: true,
    comment:
      "Objects in use that an application may have, and files of persistent ones. More are\n" +
      "refused with SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.objectsOfClient": integer(64, {
    min: 0,
    max: 100_000,
    live: true,
    comment: "Objects that a client may use at once. More are refused with\n" +
      "SharedObject.ObjectCreationFailed.",
  }),
  "sharedObjects.slots": integer(1_024, {
    min: 1,
    max: 1_000_000,
    live: true,
    comment:
      "Slots of an object. A change above this bound or one of the next three is answered with\n" +
      "SharedObject.NoWriteAccess and the present value.",
  }),
  "sharedObjects.slotName": integer(255, {
    min: 1,
    max: 65_535,
    unit: "bytes",
    live: true,
    comment: "Bytes of the name of a slot.",
  }),
  "sharedObjects.value": integer(64, {
    min: 1,
    max: 16_384,
    unit: "KiB",
    live: true,
    comment: "KiB of a value.",
  }),
  "sharedObjects.object": integer(1_024, {
    min: 1,
    max: 262_144,
    unit: "KiB",
    live: true,
    comment: "KiB of all names and values of an object.",
  }),
  "sharedObjects.events": integer(1_024, {
    min: 1,
    max: 100_000,
    live: true,
    comment: "Events of one message of a client; a message that has more is dropped.",
  }),
  "sharedObjects.send": integer(64, {
    min: 1,
    max: 16_384,
    unit: "KiB",
    live: true,
    comment: "KiB of the name and arguments of a call to all who use an object; a longer one is\n" +
      "answered with SharedObject.NoWriteAccess.",
  }),
} satisfies Record<string, Setting<unknown>>;
