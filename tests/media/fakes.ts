// Fake applications, connections and outputs, which record each call.
import { AmfReader } from "../../src/amf/mod.ts";
import type { Application, Applications, Handshake } from "../../src/media/application.ts";
import type { Client } from "../../src/media/client.ts";
import type {
  Connection,
  FlowWriter,
  GroupOutput,
  PublisherOutput,
} from "../../src/media/connection.ts";
import type { Frame } from "../../src/media/frame.ts";
import type { Group } from "../../src/media/group.ts";
import { Hub, type HubOptions } from "../../src/media/hub.ts";
import type { Listener, ListenerOutput } from "../../src/media/listener.ts";
import type { Publication } from "../../src/media/publication.ts";
import { toHex } from "../../src/bytes/hex.ts";

export const nothing = () => new AmfReader(new Uint8Array());

/** Replaces single steps of a {@link FakeApplication}. */
export type Steps = Partial<Omit<Application, "path">>;

export class FakeApplication implements Application {
  mayReplace = false;
  readonly events: string[] = [];
  readonly path = "";
  constructor(readonly steps: Steps = {}) {}

  waits(what: "call" | "audio" | "video") {
    return this.steps.waits?.(what) ?? false;
  }
  connect(client: Client, values: AmfReader) {
    this.events.push("onConnection");
    return this.steps.connect?.(client, values);
  }
  failed(client: Client, error: string) {
    this.events.push(`onFailed ${error}`);
    this.steps.failed?.(client, error);
  }
  disconnect(client: Client) {
    this.events.push("onDisconnection");
    this.steps.disconnect?.(client);
  }
  call(client: Client, name: string, values: AmfReader) {
    this.events.push(`call ${name}`);
    return this.steps.call?.(client, name, values) ?? false;
  }
  publish(client: Client, publication: Publication) {
    this.events.push(`onPublish ${publication.name}`);
    return this.steps.publish?.(client, publication);
  }
  record(client: Client, publication: Publication, name: string) {
    this.steps.record?.(client, publication, name);
  }
  unpublish(client: Client, publication: Publication) {
    this.events.push(`onUnpublish ${publication.name}`);
    this.steps.unpublish?.(client, publication);
  }
  subscribe(client: Client, listener: Listener) {
    this.events.push(`onSubscribe ${listener.publication.name}`);
    this.steps.subscribe?.(client, listener);
  }
  unsubscribe(client: Client, listener: Listener) {
    this.events.push(`onUnsubscribe ${listener.publication.name}`);
    this.steps.unsubscribe?.(client, listener);
  }
  audio(client: Client, publication: Publication, time: number, packet: Uint8Array) {
    this.events.push(`onAudioPacket ${time} ${toHex(packet)}`);
    this.steps.audio?.(client, publication, time, packet);
  }
  video(client: Client, publication: Publication, time: number, packet: Uint8Array) {
    this.events.push(`onVideoPacket ${time} ${toHex(packet)}`);
    this.steps.video?.(client, publication, time, packet);
  }
  data(client: Client, publication: Publication, name: string, packet: Uint8Array) {
    this.events.push(`onDataPacket ${name} ${toHex(packet)}`);
    this.steps.data?.(client, publication, name, packet);
  }
  joinGroup(client: Client, group: Group) {
    this.events.push(`onJoinGroup ${group.size}`);
    this.steps.joinGroup?.(client, group);
  }
  unjoinGroup(client: Client, group: Group) {
    this.events.push(`onUnjoinGroup ${group.size}`);
    this.steps.unjoinGroup?.(client, group);
  }
  manage(client: Client) {
    this.events.push("onManage of a client");
    this.steps.manage?.(client);
  }
}

export class FakeApplications implements Applications {
  handshakes: Handshake[] = [];
  addresses: string[] = [];
  managed = 0;
  constructor(readonly application: FakeApplication) {}
  open(path: string) {
    return path === "/missing" ? undefined : this.application;
  }
  handshake(request: Handshake) {
    this.handshakes.push(request);
    return this.addresses;
  }
  rendezvousUnknown() {
    return this.addresses;
  }
  manage() {
    this.managed++;
    this.application.events.push("onManage");
  }
}

export class FakeWriter implements FlowWriter {
  reliable = true;
  closed = false;
  message() {}
  result() {}
  status() {}
  flush() {}
  close() {
    this.closed = true;
  }
}

export class FakeConnection implements Connection {
  readonly protocol = "rtmfp";
  address = "192.0.2.1:4000";
  hostname = "192.0.2.1";
  ping = 40;
  elapsedFromReception = 0;
  objectEncoding = 3 as const;
  writer = new FakeWriter();
  writers: FlowWriter[] = [];
  closed = 0;
  probes = 0;
  probe() {
    this.probes++;
  }
  newWriter() {
    return new FakeWriter();
  }
  close() {
    this.closed++;
  }
}

/** Output of a listener: everything in one list, media as `kind time hex`. */
export class FakeOutput implements ListenerOutput, PublisherOutput, GroupOutput {
  readonly got: string[] = [];
  readonly frames: Frame[] = [];
  queuedBytes = 0;
  queuedDataBytes = 0;
  videoWaitsSince = Infinity;
  /** Frames that {@link abandon} gives up. */
  abandoned = { audio: 0, video: 0 };
  send(frame: Frame, time: number, reliable: boolean) {
    this.frames.push(frame);
    const what = frame.kind === "data" ? `data ${frame.name}` : frame.kind;
    this.got.push(`${what} ${time} ${toHex(frame.payload)}${reliable ? "" : " unreliable"}`);
  }
  abandon(kind: "audio" | "video") {
    this.got.push(`abandon ${kind}`);
    return this.abandoned[kind];
  }
  sampleAccess(audio: boolean, video: boolean) {
    this.got.push(`sample access ${audio} ${video}`);
  }
  published() {
    this.got.push("published");
  }
  unpublished() {
    this.got.push("unpublished");
  }
  overflowed() {
    this.got.push("overflowed");
  }
  ended(code: string, description: string) {
    this.got.push(`ended ${code} ${description}`);
  }
  status(code: string, description: string) {
    this.got.push(`status ${code} ${description}`);
  }
  close() {
    this.got.push("close");
  }
  announce(peerId: Uint8Array) {
    this.got.push(`member ${peerId[0]}`);
  }
  take(): string[] {
    return this.got.splice(0);
  }
}

export interface World {
  readonly hub: Hub;
  readonly application: FakeApplication;
  readonly applications: FakeApplications;
  readonly logged: string[];
  /** A connected client whose raw id is 32 times this byte. */
  client(byte?: number, path?: string): Client;
  events(): string[];
}

export function world(steps: Steps = {}, options: Partial<HubOptions> = {}): World {
  const application = new FakeApplication(steps);
  const applications = new FakeApplications(application);
  const logged: string[] = [];
  const hub = new Hub({
    random: () => 0,
    log: (level, text) => void logged.push(`${level}: ${text}`),
    ip: (text) => /^[0-9.]+$/.test(text) ? text : undefined,
    ...options,
  });
  hub.serve(applications);
  hub.now = 1000;
  const client = (byte = 1, path = "") =>
    hub.connect(
      {
        rawId: new Uint8Array(32).fill(byte),
        path,
        properties: new Map(),
        flashVersion: "",
        pageUrl: "",
        swfUrl: "",
      },
      new FakeConnection(),
      nothing(),
    ).client;
  return {
    hub,
    application,
    applications,
    logged,
    client,
    events: () => application.events.splice(0),
  };
}

export const bytes = (...values: number[]) => Uint8Array.from(values);
export const once = { received: 1, lost: 0, ping: 40 };
