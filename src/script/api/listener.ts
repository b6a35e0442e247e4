import type { Listener } from "../../media/listener.ts";
import type { Api } from "./api.ts";
import type { Binding } from "./binding.ts";
import { publication } from "./publication.ts";
import { qualityOfService } from "./quality_of_service.ts";
import { TextTable } from "./text_table.ts";
import type { Args } from "./values.ts";

/** One client's subscription. API-440 to API-446. */
export const listener: Binding<Listener, Api> = {
  name: "listener",
  get: {
    id: (listener) => listener.id,
    publication: (listener, api) => api.objects.of(publication, listener.publication),
    properties: (listener) => new TextTable(listener.properties),
    audioQOS: (listener, api) => api.objects.of(qualityOfService, listener.audioQos),
    videoQOS: (listener, api) => api.objects.of(qualityOfService, listener.videoQos),
    audioSampleAccess: (listener) => listener.audioSampleAccess,
    videoSampleAccess: (listener) => listener.videoSampleAccess,
    receiveAudio: (listener) => listener.receiveAudio,
    receiveVideo: (listener) => listener.receiveVideo,
  },
  set: {
    audioSampleAccess: (listener, args) => listener.audioSampleAccess = args.boolean(),
    videoSampleAccess: (listener, args) => listener.videoSampleAccess = args.boolean(),
    receiveAudio: (listener, args) => listener.receiveAudio = args.boolean(),
    receiveVideo: (listener, args) => listener.receiveVideo = args.boolean(),
  },
  call: {
    close: (listener, args, api) => close(listener, args, api),
  },
  label: (listener) => `${listener.id} of ${listener.publication.name}`,
  parts: ({ audioQos, videoQos }) => [audioQos, videoQos],
};

/** `close([code[, description]])`: ends the playback and sends the client `NetStream.<code>`. API-446 */
function close(listener: Listener, args: Args, api: Api): void {
  const { output } = listener;
  if (!listener.active) return;
  if (!listener.client || !output.ended) {
    return api.mistake(
      "listener:close() is for clients: a recording ends with publication:stopRecording(), " +
        "a relay with relay:close()",
    );
  }
  if (!listener.started) {
    return api.mistake("listener:close() has no effect in onSubscribe: return false to refuse");
  }
  const code = args.string() || "Play.Stop";
  output.ended(code, args.string());
}
