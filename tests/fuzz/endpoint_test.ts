import { endpointTargets } from "./endpoint.ts";
import { fuzz } from "./harness.ts";

for (const target of endpointTargets) {
  Deno.test(`fuzz: ${target.name}: the endpoint throws no exception, and answers afterwards`, () => {
    for (let seed = 1; seed <= 6; seed++) fuzz(target, seed, 150);
  });
}
