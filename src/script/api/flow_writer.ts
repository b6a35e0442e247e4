import { toUtf8 } from "../../bytes/text.ts";
import { Writer } from "../../bytes/writer.ts";
import type { Client } from "../../media/client.ts";
import type { FlowWriter } from "../../media/connection.ts";
import type { Api } from "./api.ts";
import { emptyText } from "./mistakes.ts";
import type { Binding } from "./binding.ts";
import type { Args } from "./values.ts";

/** The main writer of a client; remembers that it belongs to this client. */
export function writerOf(api: Api, client: Client): FlowWriter {
  const { writer } = client;
  api.clientOf.set(writer, client);
  return writer;
}

/** Encodes the remaining arguments in the form that the client asked for. DECISIONS 11 */
function encode(writer: FlowWriter, args: Args, api: Api): Uint8Array {
  const form = api.clientOf.get(writer)?.connection.objectEncoding === 0 ? "amf0" : "amf3";
  return api.toAmf.encode(args.at, args.left, form);
}

/** Sends messages to a client. API-250 to API-260. */
export const flowWriter: Binding<FlowWriter, Api> = {
  name: "flowWriter",
  get: { reliable: (writer) => writer.reliable },
  set: { reliable: (writer, args) => writer.reliable = args.boolean() },
  call: {
    writeAMFResult(writer, args, api) {
      writer.result(encode(writer, args, api));
    },
    writeAMFMessage(writer, args, api) {
      const name = args.bytes();
      if (name.length === 0) emptyText(args, api, "writeAMFMessage(name, …)", "name");
      writer.message(name, encode(writer, args, api));
    },
    /** Pairs of names and values may follow the description: members of the info object. API-253 */
    writeStatusResponse(writer, args, api) {
      const code = args.string();
      if (code === "") emptyText(args, api, "writeStatusResponse(code, description)", "code");
      const description = args.string();
      writer.status(code, description, infoMembers(args, api));
    },
    flush(writer, args) {
      writer.flush(args.boolean(true));
    },
    newFlowWriter(writer, _args, api) {
      const client = api.clientOf.get(writer);
      if (!client || client.state === "gone") return undefined;
      const made = client.connection.newWriter();
      api.clientOf.set(made, client);
      return api.objects.of(flowWriter, made);
    },
    close(writer, _args, api) {
      writer.close();
      if (api.clientOf.get(writer)?.writer !== writer) api.objects.release(writer);
    },
  },
};

/** Encodes alternating names and values as AMF0 members, `{u16 length, key, value}*`. */
function infoMembers(args: Args, api: Api): Uint8Array | undefined {
  if (args.left < 2) return undefined;
  const members = new Writer();
  while (args.left >= 2) {
    const name = toUtf8(args.string()).subarray(0, 0xffff);
    members.u16(name.length).bytes(name).bytes(api.toAmf.encode(args.at, 1, "amf0"));
    args.skip();
  }
  return members.view();
}
