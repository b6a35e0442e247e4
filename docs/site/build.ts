// Makes the documentation into plain HTML with search, in site/: `deno task docs`. Pages open from
// disk as well as from a server. A link that leads nowhere ends it with exit code 1.
import { fromFileUrl } from "./paths.ts";
import { buildSite } from "./site.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const out = Deno.args[0] ?? `${root}site`;
try {
  const { pages, files } = await buildSite(root, out);
  console.log(`${pages} pages and ${files} other files: ${out}/index.html`);
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
