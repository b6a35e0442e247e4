import type { SharedObjectBounds } from "../media/shared_objects.ts";
import { absolute } from "./folders.ts";
import type { Log } from "../log/log.ts";
import type { Config } from "../config/settings.ts";
import { SharedObjectFiles } from "./shared_object_files.ts";

const KIB = 1 << 10;

/** The bounds of shared objects, from the current configuration. SO-082. */
export function sharedObjectBounds(config: () => Config): SharedObjectBounds {
  return {
    get enabled() {
      return config()["sharedObjects.enabled"] === "on";
    },
    get objects() {
      return config()["sharedObjects.objects"];
    },
    get objectsOfClient() {
      return config()["sharedObjects.objectsOfClient"];
    },
    get slots() {
      return config()["sharedObjects.slots"];
    },
    get slotName() {
      return config()["sharedObjects.slotName"];
    },
    get value() {
      return config()["sharedObjects.value"] * KIB;
    },
    get object() {
      return config()["sharedObjects.object"] * KIB;
    },
    get events() {
      return config()["sharedObjects.events"];
    },
    get send() {
      return config()["sharedObjects.send"] * KIB;
    },
  };
}

/**
 * Opens the store of persistent objects, which applies the current configuration.
 *
 * @param www the folder of the applications, inside the server's folder
 */
export function openSharedObjectFiles(
  { config, www, log }: { config: () => Config; www: string; log: Log },
): SharedObjectFiles {
  const applications = www.replaceAll("\\", "/").replace(/\/$/, "");
  const home = applications.includes("/")
    ? applications.slice(0, applications.lastIndexOf("/") + 1)
    : "./";
  return new SharedObjectFiles({
    enabled: () => config()["sharedObjects.persist"] === "on",
    objects: () => config()["sharedObjects.objects"],
    folder: (application) => {
      const configured = config()["sharedObjects.folder"];
      if (configured === "") return `${applications}${application}/sharedobjects`;
      const folder = absolute(configured, home).replaceAll("\\", "/").replace(/\/$/, "");
      return `${folder}/${encodeURIComponent(application || "/")}`;
    },
    log,
  });
}
