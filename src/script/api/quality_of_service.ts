import type { QualityOfService } from "../../media/quality_of_service.ts";
import type { Api } from "./api.ts";
import type { Binding } from "./binding.ts";

/** Quality of the delivery of audio or video. API-450 to API-455. */
export const qualityOfService: Binding<QualityOfService, Api> = {
  name: "qualityOfService",
  get: {
    byteRate: (qos) => qos.byteRate,
    lostRate: (qos) => qos.lostRate,
    congestionRate: (qos) => qos.congestionRate,
    latency: (qos) => qos.latency,
    droppedFrames: (qos) => qos.droppedFrames,
    skippedFrames: (qos) => qos.skippedFrames,
  },
};
