// Counts the live objects of a class in the whole program.
import { Session } from "node:inspector/promises";

/** @param classes names of global classes, such as "Map" */
export async function census(...classes: string[]): Promise<number[]> {
  const session = new Session();
  session.connect();
  // deno-lint-ignore no-explicit-any
  const ask = (method: string, parameters: unknown): Promise<any> =>
    session.post(method, parameters as never);
  const counts: number[] = [];
  for (const name of classes) {
    const group = { objectGroup: "census" };
    const { result } = await ask("Runtime.evaluate", { expression: `${name}.prototype`, ...group });
    const found = await ask("Runtime.queryObjects", {
      prototypeObjectId: result.objectId,
      ...group,
    });
    const { result: length } = await ask("Runtime.callFunctionOn", {
      objectId: found.objects.objectId,
      functionDeclaration: "function() { return this.length }",
      returnByValue: true,
    });
    counts.push(length.value);
    await ask("Runtime.releaseObjectGroup", group);
  }
  session.disconnect();
  return counts;
}
