import type { Viewing } from "../../src/web/flv_viewer.ts";

/** The request of a viewer of the stream `cam`. */
export const viewing = (wanted: Partial<Viewing> = {}): Viewing => ({
  rawId: crypto.getRandomValues(new Uint8Array(32)),
  protocol: "http",
  address: "192.0.2.1:1000",
  hostname: "192.0.2.1",
  path: "",
  name: "cam",
  properties: new Map(),
  flashVersion: "",
  pageUrl: "",
  swfUrl: "",
  wait: false,
  audio: true,
  video: true,
  ...wanted,
});
