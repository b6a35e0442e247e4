import assert from "node:assert/strict";
import { freePort } from "./ports.ts";
import { shippedPorts } from "./shipped_ports.ts";

Deno.test("shippedPorts() gives free ports to one test at a time, the others wait", async () => {
  const [port, turn] = [freePort(), freePort()];
  const other = Deno.listen({ port });
  const order: string[] = [];
  const take = async (name: string) => {
    using _turn = await shippedPorts([port], turn);
    order.push(`${name} begins`);
    const server = Deno.listen({ port });
    await new Promise((resolve) => setTimeout(resolve, 0));
    server.close();
    order.push(`${name} ends`);
  };
  const first = take("first");
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(order.length, 0, "another program has the port");
  other.close();
  await Promise.all([first, take("second")]);
  const turns = ["first begins, first ends", "second begins, second ends"];
  assert.ok(turns.includes(order.slice(0, 2).join(", ")), order.join());
  assert.ok(turns.includes(order.slice(2).join(", ")), order.join());
});
