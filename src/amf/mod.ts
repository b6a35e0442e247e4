// AMF0 and AMF3: what other rooms use of this one.
export { AMF_LIMITS, type AmfLimits, AmfReader, MAX_NAMES } from "./amf_reader.ts";
export { type AmfForm, AmfWriter, type AmfWriterOptions } from "./amf_writer.ts";
export { decodeAmf, encodeAmf, encodeAmf0 } from "./codec.ts";
export type { AmfSink, VectorKind } from "./sink.ts";
export { type ExternalizableReaders, ValueSink } from "./value_sink.ts";
export {
  AmfDictionary,
  type AmfObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  type Externalizable,
  MixedArray,
  TypedObject,
} from "./values.ts";
