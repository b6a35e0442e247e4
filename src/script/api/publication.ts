import type { Publication } from "../../media/publication.ts";
import type { RecordMode } from "../../media/recordings.ts";
import type { Api } from "./api.ts";
import { listeners } from "./listeners.ts";
import { emptyText, expectPacket } from "./mistakes.ts";
import type { Binding } from "./binding.ts";
import { qualityOfService } from "./quality_of_service.ts";
import { startRelay } from "./relay.ts";
import { TextTable } from "./text_table.ts";
import { type Args, PUSHED } from "./values.ts";

/** A publication: a name with its publisher and listeners. API-410 to API-424. */
export const publication: Binding<Publication, Api> = {
  name: "publication",
  get: {
    name: (publication) => publication.name,
    recorded: (publication) => publication.recorded,
    recording: (publication) => publication.recording?.name,
    type: (publication) => publication.type,
    publisherId: (publication) => publication.publisherId,
    listeners: (publication, api) => api.objects.of(listeners, publication.listeners),
    properties: (publication) => new TextTable(publication.properties),
    audioQOS: (publication, api) => api.objects.of(qualityOfService, publication.audioQos),
    videoQOS: (publication, api) => api.objects.of(qualityOfService, publication.videoQos),
  },
  call: {
    pushAudioPacket(publication, args, api) {
      const { time, packet, lost } = packetOf(args, api, "pushAudioPacket");
      if (packet) publication.pushAudio(time, packet, lost);
    },
    pushVideoPacket(publication, args, api) {
      const { time, packet, lost } = packetOf(args, api, "pushVideoPacket");
      if (packet) publication.pushVideo(time, packet, lost);
    },
    pushDataPacket(publication, args, api) {
      const name = args.string();
      if (name === "") emptyText(args, api, "pushDataPacket(name, packet)", "name");
      if (args.absent) {
        if (name !== "") api.mistake("pushDataPacket(name, packet): the packet is missing");
        return;
      }
      const packet = args.bytes();
      publication.pushData(name, packet.subarray(offset(args)));
    },
    record(publication, args, api) {
      const name = args.isText ? args.string() : (args.skip(), publication.name);
      const asked = args.isText ? args.string() : "record";
      const mode = RECORD_MODES.find((one) => one === asked);
      const refused = mode
        ? record(publication, name, mode, api)
        : `Unknown way to record: ${asked}`;
      const { lua } = args;
      if (refused === undefined) {
        lua.pushBoolean(true);
        return PUSHED;
      }
      lua.pushNil();
      lua.pushText(refused);
      return PUSHED;
    },
    stopRecording(publication) {
      publication.recording?.stop();
    },
    push: (publication, args, api) =>
      startRelay(api, "push", publication.name, args.string(), publication.publisherId),
    flush(publication) {
      publication.flush();
    },
    close(publication, args) {
      const code = args.string();
      publication.close(code, args.string());
    },
  },
  label: (publication) => publication.name,
  alive: (publication) => publication.active,
  parts: ({ listeners, audioQos, videoQos }) => [listeners, audioQos, videoQos],
};

const RECORD_MODES: readonly RecordMode[] = ["record", "append", "appendWithGap"];

/**
 * Records into the folder of the publisher's application, else of the running one. VOD-302, VOD-303.
 *
 * @returns the reason of a failure
 */
function record(
  publication: Publication,
  name: string,
  mode: RecordMode,
  api: Api,
): string | undefined {
  const { recordings } = api.hub;
  if (!recordings || !publication.publishing) return `No publisher of ${publication.name}`;
  const { publisher } = publication;
  const application = typeof publisher === "object" ? publisher.application : api.running!;
  const log = (text: string) => api.hub.log("warn", `The recording ${name} has ended: ${text}`);
  const events = {
    started: () => {},
    failed: (_: boolean, text: string) => log(text),
    stopped: () => {},
  };
  const hold = api.outside.counter(api.running!);
  const recording = recordings.record(publication, application.path, name, mode, events, hold);
  return typeof recording === "string" ? recording : undefined;
}

/** Reads the arguments time, packet[, offset, lost]; no packet if it is missing or empty. API-414 */
function packetOf(
  args: Args,
  api: Api,
  name: string,
): { time: number; packet: Uint8Array | undefined; lost: number } {
  expectPacket(args, api, name);
  const time = Math.trunc(args.number());
  const bytes = args.bytes();
  const packet = bytes.subarray(offset(args));
  if (packet.length === 0 && bytes.length > 0) {
    api.mistake(`${name}(time, packet, offset): no byte of the packet is after the offset`);
  }
  const lost = Math.max(0, Math.trunc(args.number()));
  return { time, packet: packet.length > 0 ? packet : undefined, lost };
}

const offset = (args: Args): number => Math.max(0, Math.trunc(args.number()));
