import type { Publication } from "../../media/publication.ts";
import type { Api } from "./api.ts";
import { listeners } from "./listeners.ts";
import type { Binding } from "./objects.ts";
import { qualityOfService } from "./quality_of_service.ts";
import { TextTable } from "./text_table.ts";
import type { Args } from "./values.ts";

/** A name under which somebody publishes. API-410 to API-424. */
export const publication: Binding<Publication, Api> = {
  name: "publication",
  get: {
    name: (publication) => publication.name,
    recorded: (publication) => publication.recorded,
    publisherId: (publication) => publication.publisherId,
    listeners: (publication, api) => api.objects.of(listeners, publication.listeners),
    properties: (publication) => new TextTable(publication.properties),
    audioQOS: (publication, api) => api.objects.of(qualityOfService, publication.audioQos),
    videoQOS: (publication, api) => api.objects.of(qualityOfService, publication.videoQos),
  },
  call: {
    pushAudioPacket(publication, args) {
      const { time, packet, lost } = packetOf(args);
      if (packet) publication.pushAudio(time, packet, lost);
    },
    pushVideoPacket(publication, args) {
      const { time, packet, lost } = packetOf(args);
      if (packet) publication.pushVideo(time, packet, lost);
    },
    pushDataPacket(publication, args) {
      const name = args.string();
      if (args.absent) return;
      const packet = args.bytes();
      publication.pushData(name, packet.subarray(offset(args)));
    },
    flush(publication) {
      publication.flush();
    },
    close(publication, args) {
      const code = args.string();
      publication.close(code, args.string());
    },
  },
  alive: (publication) => publication.active,
  parts: ({ listeners, audioQos, videoQos }) => [listeners, audioQos, videoQos],
};

/** time, packet[, offset, lost]; no packet if it is missing or empty. API-414 */
function packetOf(args: Args): { time: number; packet: Uint8Array | undefined; lost: number } {
  const time = Math.trunc(args.number());
  const bytes = args.bytes();
  const packet = bytes.subarray(offset(args));
  const lost = Math.max(0, Math.trunc(args.number()));
  return { time, packet: packet.length > 0 ? packet : undefined, lost };
}

const offset = (args: Args): number => Math.max(0, Math.trunc(args.number()));
