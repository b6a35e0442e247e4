// The options with which a flow begins. RFC 7016 §2.3.11.1.
import { Reader } from "../../bytes/reader.ts";
import { WireError } from "../../bytes/wire_error.ts";
import { Writer } from "../../bytes/writer.ts";
import { readOptionList, writeMarker, writeOption } from "./options.ts";

const USER_METADATA = 0x00;
const RETURN_ASSOCIATION = 0x0a;
/** Receivers may ignore unknown types from here on. */
const IGNORABLE = 8192;

interface FlowOptions {
  /** Purpose of the flow; reject a new flow without it. A view when read. */
  readonly metadata: Uint8Array | undefined;
  /** The flow in the other direction that this one answers: the id that its sender gave it. */
  readonly association: number | undefined;
  /** The first option that is neither known nor ignorable: reject the flow. */
  readonly unknown?: number | undefined;
}

/** An option list, Marker included. Metadata come first: the CumulusServer of 2016 and librtmfp read no other order. */
export function writeFlowOptions(
  { metadata, association }: Pick<FlowOptions, "metadata" | "association">,
): Uint8Array {
  const to = new Writer();
  if (metadata) writeOption(to, USER_METADATA, metadata);
  if (association !== undefined) {
    writeOption(to, RETURN_ASSOCIATION, new Writer(8).vlu(association).view());
  }
  return writeMarker(to).copy();
}

/**
 * Reads an option list of {@link writeFlowOptions}, in any order.
 *
 * @throws {WireError} if it is cut off, or an option comes twice
 */
export function readFlowOptions(options: Uint8Array): FlowOptions {
  let metadata: Uint8Array | undefined;
  let association: number | undefined;
  let unknown: number | undefined;
  for (const { type, value } of readOptionList(new Reader(options))) {
    if (type === USER_METADATA) {
      if (metadata) throw new WireError("Cannot use two metadata options");
      metadata = value;
    } else if (type === RETURN_ASSOCIATION) {
      if (association !== undefined) throw new WireError("Cannot use two association options");
      association = new Reader(value).vlu();
    } else if (type < IGNORABLE) {
      unknown ??= type;
    }
  }
  return { metadata, association, unknown };
}
